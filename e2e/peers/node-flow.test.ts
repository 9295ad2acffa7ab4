/**
 * Flow follows the slower side: whoever does not read stops the other end, and nothing piles up in the gateway.
 */
import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { type ClientHttp2Session, connect, constants } from 'node:http2';
import { setTimeout as pause } from 'node:timers/promises';
import { LeakCheck, makeCa } from '@cirque/testing';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { FourOrigins } from '../src/four-origins.ts';
import { Gateway } from '../src/gateway.ts';

type Version = 'h1' | 'h2';
const pairs = (['h1', 'h2'] as const).flatMap((from) => (['h1', 'h2'] as const).map((to) => ({ from, to })));

const PIECE = Buffer.alloc(65_536, 'f');
/** What the buffers of the system and of Node take on the way, at most: those of loopback grow to several megabytes. */
const MOST_ON_THE_WAY = 32_000_000;
/** What they would take if nobody minded. */
const ENDLESS = 400_000_000;
const MOST_MEMORY = 60_000_000;

/** Bytes that the side which writes has been able to give away. */
let written = 0;
/** Paths of the responses that have closed. */
let ended: string[] = [];
/** The upload that the origin does not read. */
let unread: IncomingMessage | undefined;

/** Writes as much as is taken. */
function pour(target: NodeJS.WritableStream): void {
  while (written < ENDLESS) {
    written += PIECE.length;
    if (!target.write(PIECE)) {
      target.once('drain', () => pour(target));
      return;
    }
  }
  target.end();
}

function serve(request: IncomingMessage, response: ServerResponse): void {
  request.on('error', () => undefined);
  response.on('error', () => undefined);
  response.on('close', () => ended.push(String(request.url)));
  if (request.url === '/endless') pour(response);
  else if (request.url === '/quick') response.end('quick');
  else unread = request;
}

const leaks = LeakCheck.start();
let origins: FourOrigins;
let gateway: Gateway;
beforeAll(async () => {
  origins = await FourOrigins.listen(serve, makeCa('Test authority'));
  gateway = await Gateway.start({ upstreams: origins.upstreams });
});
afterAll(async () => {
  await origins?.close();
  await gateway?.stop();
  await leaks.assertClean();
});

/** Waits until nothing has been given away for a while; answers how much it was. */
async function settled(): Promise<number> {
  for (let before = -1; before !== written || written === 0; await pause(300)) before = written;
  return written;
}

describe.each(pairs)('$from to $to', ({ from, to }) => {
  let session: ClientHttp2Session | undefined;
  beforeAll(() => {
    if (from === 'h2') session = connect(`http://127.0.0.1:${gateway.port}`);
  });
  afterAll(() => session?.close());

  /** A request whose response nobody reads. */
  function begin(path: string, method: string): { readonly body: NodeJS.WritableStream; cancel(): void } {
    const headers = { 'x-upstream': to };
    if (session !== undefined) {
      const stream = session.request({ ':path': path, ':method': method, ...headers }, { endStream: method === 'GET' });
      stream.on('error', () => undefined);
      return { body: stream, cancel: () => stream.close(constants.NGHTTP2_CANCEL) };
    }
    const request = httpRequest({ host: '127.0.0.1', port: gateway.port, path, method, headers, agent: false });
    request.on('error', () => undefined);
    request.on('response', (response: IncomingMessage) => {
      response.on('error', () => undefined);
      response.pause();
    });
    if (method === 'GET') request.end();
    return { body: request, cancel: () => request.destroy() };
  }

  async function quick(version: Version): Promise<string> {
    if (version === 'h2' && session !== undefined) {
      const chunks: Buffer[] = [];
      for await (const chunk of session.request({ ':path': '/quick', 'x-upstream': to })) chunks.push(chunk as Buffer);
      return Buffer.concat(chunks).toString();
    }
    const headers = { 'x-upstream': to, connection: 'close' };
    return (await fetch(`http://127.0.0.1:${gateway.port}/quick`, { headers })).text();
  }

  async function expectBounded(path: string, cancel: () => void, memoryBefore: number): Promise<void> {
    expect(await settled()).toBeLessThan(MOST_ON_THE_WAY);
    expect(await quick(from), 'another request meanwhile').toBe('quick');
    expect(((await gateway.subject.residentBytes()) ?? 0) - memoryBefore).toBeLessThan(MOST_MEMORY);
    cancel();
    unread?.resume(); // while it is paused, Node does not look whether the other side is there
    await vi.waitFor(() => expect(ended).toContain(path), 3_000);
  }

  it('a response that nobody reads stops the origin', async () => {
    [written, ended] = [0, []];
    const memory = (await gateway.subject.residentBytes()) ?? 0;
    const { cancel } = begin('/endless', 'GET');
    await expectBounded('/endless', cancel, memory);
  });

  it('a request that nobody reads stops the client', async () => {
    [written, ended] = [0, []];
    const memory = (await gateway.subject.residentBytes()) ?? 0;
    const { body, cancel } = begin('/unread', 'POST');
    pour(body);
    await expectBounded('/unread', cancel, memory);
  });
});
