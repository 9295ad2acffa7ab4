/**
 * A browser: a page with its parts, streams in both directions, events and WebSockets, all over one HTTP/2 connection.
 */

import { LeakCheck, makeCa } from '@cirque/testing';
import { requireTool } from '@cirque-internal/config/system-tools';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { Chromium } from '../src/chromium.ts';
import { FourOrigins } from '../src/four-origins.ts';
import { Gateway } from '../src/gateway.ts';
import { CLIENT_FACTS, CLIENT_VERSION } from '../src/gateway-setup.ts';
import { PICTURES, pageApp } from '../src/page-app.ts';
import { factsIn, GATEWAY_NAME, ORIGIN_KINDS, versionOf } from '../src/peers-rig.ts';
import { WsOrigin } from '../src/ws-origin.ts';

const tool = requireTool('chromium');

/** On the page: reads a response in pieces, with the time of each since the first. */
const READ_PIECES = `async (response) => {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  const pieces = [], times = [];
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return { text: pieces.join(''), pieces: pieces.length, took: times.at(-1) - times[0] };
    pieces.push(value);
    times.push(performance.now());
  }
}`;

describe.skipIf(tool.path === undefined)(`Chromium (${tool.reason ?? 'present'})`, () => {
  const leaks = LeakCheck.start();
  const ca = makeCa('Test authority');
  const { app, log } = pageApp();
  let origins: FourOrigins;
  let sockets: WsOrigin;
  let gateway: Gateway;
  let browser: Chromium | undefined;
  let whyNot = '';

  beforeAll(async () => {
    origins = await FourOrigins.listen(app, ca);
    sockets = await WsOrigin.listen(ca);
    const certificate = ca.issue({ names: [GATEWAY_NAME] });
    const { h1: ws, 'h1-tls': wss } = sockets.upstreams;
    const upstreams = { ...origins.upstreams, ...(ws && { ws }), ...(wss && { wss }) };
    gateway = await Gateway.start({ upstreams, tls: { certificate, alpn: ['h2', 'http/1.1'] } });
    try {
      browser = await Chromium.start(tool.path as string, { localNames: '*.test', trusted: certificate.cert });
      await browser.visit(`https://${GATEWAY_NAME}:${gateway.tlsPort}/`);
    } catch (error) {
      if (browser !== undefined) throw error;
      whyNot = `Chromium cannot start here: ${error instanceof Error ? error.message : String(error)}`;
      process.stderr.write(`SKIPPED: ${whyNot}\n`);
    }
  }, 40_000);
  beforeEach(({ skip }) => skip(browser === undefined, whyNot));
  afterAll(async () => {
    await browser?.stop();
    await origins?.close();
    await sockets?.close();
    await gateway?.stop();
    await leaks.assertClean();
  });

  function evaluate<T>(expression: string): Promise<T> {
    return (browser as Chromium).evaluate<T>(expression);
  }

  it('loads a page with all its parts over HTTP/2', async () => {
    const page = await evaluate<{ title: string; colour: string; pictures: number; protocols: string[] }>(`({
      title: document.title,
      colour: getComputedStyle(document.body).color,
      pictures: [...document.images].filter(({ naturalWidth }) => naturalWidth === 7).length,
      protocols: performance.getEntries().map(({ nextHopProtocol }) => nextHopProtocol).filter(Boolean),
    })`);
    expect(page).toMatchObject({ title: 'loaded', colour: 'rgb(1, 2, 3)', pictures: PICTURES });
    expect(page.protocols.length).toBeGreaterThan(PICTURES);
    expect(new Set(page.protocols)).toEqual(new Set(['h2']));
  });

  it.each(ORIGIN_KINDS)('fetches from %s', async (upstream) => {
    const { status, text, facts, version } = await evaluate<Record<string, string>>(`
      fetch('/echo?upstream=${upstream}', { method: 'POST', body: 'from the browser' }).then(async (response) => ({
        status: response.status,
        text: await response.text(),
        facts: response.headers.get('${CLIENT_FACTS}'),
        version: response.headers.get('x-version'),
      }))`);
    expect([status, text, version]).toEqual([200, 'from the browser', versionOf(upstream)]);
    expect(factsIn(facts)).toMatchObject({ http: '2', alpn: 'h2', tls: 'TLSv1.3', serverName: GATEWAY_NAME });
  });

  it.each(['h1', 'h2-tls'])('reads a stream from %s piece by piece', async (upstream) => {
    const read = await evaluate<{ text: string; pieces: number; took: number }>(
      `fetch('/drip?upstream=${upstream}').then(${READ_PIECES})`,
    );
    expect(read.text).toBe('drip 0\ndrip 1\ndrip 2\ndrip 3\ndrip 4\n');
    expect(read.pieces).toBe(5);
    expect(read.took, 'milliseconds from the first piece to the last').toBeGreaterThan(150);
  });

  it.each(['h1', 'h2-tls'])('sends a stream to %s', async (upstream) => {
    const text = await evaluate<string>(`{
      const pieces = ['one ', 'two ', 'three'];
      const body = new ReadableStream({
        async pull(controller) {
          await new Promise((resolve) => setTimeout(resolve, 30));
          const piece = pieces.shift();
          if (piece === undefined) controller.close();
          else controller.enqueue(new TextEncoder().encode(piece));
        },
      });
      fetch('/echo?upstream=${upstream}', { method: 'POST', body, duplex: 'half' }).then((response) => response.text());
    }`);
    expect(text).toBe('one two three');
  });

  it('uploads and downloads megabytes', async () => {
    const size = await evaluate<number>(`
      fetch('/echo?upstream=h2', { method: 'PUT', body: new Uint8Array(3_000_000) })
        .then((response) => response.arrayBuffer()).then(({ byteLength }) => byteLength)`);
    expect(size).toBe(3_000_000);
  });

  it('gets events', async () => {
    const events = await evaluate<string[]>(`new Promise((resolve) => {
      const events = [];
      const source = new EventSource('/events?upstream=h2');
      source.onmessage = ({ data }) => events.push(data);
      source.onerror = () => { source.close(); resolve(events); };
    })`);
    expect(events).toEqual(['event 0', 'event 1', 'event 2', 'event 3', 'event 4']);
  });

  it.each(['ws', 'wss'])('has a WebSocket to %s, by extended CONNECT', async (upstream) => {
    const talk = await evaluate<{
      messages: string[];
      code: number;
      reason: string;
    }>(`new Promise((resolve, reject) => {
      const messages = [];
      const socket = new WebSocket('wss://' + location.host + '/echo?upstream=${upstream}');
      socket.onopen = () => socket.send('hello');
      socket.onerror = () => reject(new Error('no WebSocket'));
      socket.onmessage = ({ data }) => {
        messages.push(data.slice(0, 10));
        if (messages.length === 1) socket.send('x'.repeat(300_000));
        else socket.close(4_002, 'done');
      };
      socket.onclose = ({ code, reason }) => resolve({ messages, code, reason });
    })`);
    expect(talk).toEqual({ messages: ['hello', 'xxxxxxxxxx'], code: 4_002, reason: 'done' });
    expect(sockets.lastHandshake[CLIENT_VERSION]).toBe('2');
    await vi.waitFor(() => expect(sockets.closed).toContain(`/echo?upstream=${upstream} 4002 done`));
  });

  it('gives a request up, and the origin hears of it', async () => {
    const path = '/never?upstream=h2&browser';
    const name = await evaluate<string>(
      `fetch('${path}', { signal: AbortSignal.timeout(300) }).catch(({ name }) => name)`,
    );
    expect(name).toBe('TimeoutError');
    await vi.waitFor(() => expect(log.lines).toContain(`aborted GET ${path}`), 3_000);
  });

  it('has done all that over one connection', async () => {
    const answers = await evaluate<number[]>(`Promise.all(Array.from({ length: 60 }, () =>
      fetch('/bytes?n=20000').then((response) => response.arrayBuffer()).then(({ byteLength }) => byteLength)))`);
    expect(answers).toEqual(new Array(60).fill(20_000));
    const last = await evaluate<string>(`fetch('/echo').then(({ headers }) => headers.get('${CLIENT_FACTS}'))`);
    expect(factsIn(last).number).toBeGreaterThan(PICTURES + 60);
  });
});
