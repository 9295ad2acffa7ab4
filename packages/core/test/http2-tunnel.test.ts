/** Tunnels over HTTP/2: extended CONNECT (RFC 8441) and CONNECT. */
import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2';
import { HeaderMap, ResponseHeader } from '@cirque/http';
import { LeakCheck } from '@cirque/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { HttpServerOptions, ServerSession } from '../src/index.ts';
import { answer, fetchH2, Http2Site } from './http2-site.ts';
import { DATA, END_HEADERS, END_STREAM } from './raw-http2.ts';

let leaks: LeakCheck;
let site: Http2Site | undefined;
beforeEach(() => {
  leaks = LeakCheck.start();
});
afterEach(async () => {
  await site?.close();
  site = undefined;
  await leaks.assertClean();
});

async function start(
  process: (session: ServerSession) => void,
  options: HttpServerOptions = {},
): Promise<{ site: Http2Site; client: ClientHttp2Session }> {
  site = await Http2Site.start(process, options);
  const client = await site.client();
  // Extended CONNECT may be used once the server has said so.
  await new Promise((resolve) => client.ping(resolve));
  return { site, client };
}

interface Tunnel {
  readonly stream: ClientHttp2Stream;
  readonly status: Promise<number>;
  /** The code that it was closed with. */
  readonly closed: Promise<number>;
  received: string;
  ended: boolean;
}

function tunnel(client: ClientHttp2Session, headers: Record<string, string>): Tunnel {
  const stream = client.request({ ':method': 'CONNECT', ...headers }, { endStream: false });
  const { promise: status, resolve } = Promise.withResolvers<number>();
  const closed = new Promise<number>((close) => {
    stream.on('close', () => close(stream.rstCode ?? 0));
  });
  const opened: Tunnel = { stream, status, closed, received: '', ended: false };
  stream.on('response', (head) => resolve(Number(head[':status'])));
  stream.on('error', () => {});
  stream.on('data', (chunk: Buffer) => {
    opened.received += chunk.toString('latin1');
  });
  stream.on('end', () => {
    opened.ended = true;
  });
  return opened;
}

const WEBSOCKET = { ':path': '/chat', ':protocol': 'websocket', 'sec-websocket-version': '13' };

function accept(session: ServerSession): void {
  const fields = { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Accept': 'x', 'X-A': '1' };
  session.writeHead(new ResponseHeader(101, HeaderMap.from(fields)), false);
  session.resume();
}

function write(session: ServerSession, text: string): void {
  session.writeBody(Buffer.from(text), 0, text.length, undefined);
}

describe('Http2ServerSession: extended CONNECT', () => {
  test('Http2ServerSession bridges an upgrade, in both directions', async () => {
    const { site, client } = await start(accept);
    const { stream, status, ...opened } = tunnel(client, WEBSOCKET);
    stream.on('response', (head) => {
      expect(head['x-a']).toBe('1');
      expect(head.upgrade ?? head['sec-websocket-accept'] ?? head.connection).toBeUndefined();
    });
    expect(await status).toBe(200);
    const [session] = site.sessions as [ServerSession];
    expect(session.requestHeader).toMatchObject({ method: 'GET', target: '/chat', version: '2' });
    expect(session.tunnel).toEqual({ kind: 'upgrade', protocol: 'websocket' });
    expect(session.connectionOptions.upgrade).toBe(true);
    stream.write('from client');
    await site.until(() => site.events.length === 1);
    write(session, 'from server');
    session.flush();
    await new Promise((resolve) => stream.once('data', resolve));
    expect(site.events).toEqual(['body from client']);
    expect([session.bodyBytesReceived, session.bodyBytesSent]).toEqual([11, 11]);
    expect(opened.ended).toBe(false);
    stream.close(8);
    await site.until(() => site.errors.length === 1);
    expect(site.errors).toEqual(['error ConnectionClosed']);
    session.abort(undefined as never);
  });

  test('Http2ServerSession reports nothing before the tunnel is accepted and read', async () => {
    const { site, client } = await start(() => {});
    const opened = tunnel(client, WEBSOCKET);
    opened.stream.write('eager');
    await site.until(() => site.sessions.length === 1);
    await new Promise((resolve) => client.ping(resolve));
    const [session] = site.sessions as [ServerSession];
    session.resume();
    await new Promise((resolve) => client.ping(resolve));
    expect(site.events).toEqual([]);
    expect(session.requestComplete).toBe(true);
    session.writeHead(new ResponseHeader(101), false);
    expect(site.events).toEqual([]);
    session.resume();
    expect(site.events).toEqual(['body eager']);
    opened.stream.close(8);
    await site.until(() => site.errors.length === 1);
  });

  test('Http2ServerSession half-closes a tunnel, each side on its own', async () => {
    const { site, client } = await start(accept);
    const first = tunnel(client, WEBSOCKET);
    await first.status;
    first.stream.end('last words');
    await site.until(() => site.events.length === 2);
    expect(site.events).toEqual(['body last words', 'end']);
    const session = site.sessions[0] as ServerSession;
    write(session, 'answer');
    session.end();
    expect(await first.closed).toBe(0);
    expect([first.received, first.ended]).toEqual(['answer', true]);

    const second = tunnel(client, WEBSOCKET);
    await second.status;
    const other = site.sessions[1] as ServerSession;
    other.writeEnd();
    await site.until(() => second.ended);
    second.stream.end('still there');
    await site.until(() => site.events.length === 4);
    expect(site.events.slice(2)).toEqual(['body still there', 'end']);
    other.finish();
    expect(await second.closed).toBe(0);
  });

  test('Http2ServerSession cuts a tunnel with CANCEL', async () => {
    const { site, client } = await start(accept);
    const opened = tunnel(client, WEBSOCKET);
    await opened.status;
    (site.sessions[0] as ServerSession).abort(undefined as never);
    expect(await opened.closed).toBe(8);
  });

  test('Http2ServerSession tells the end of a client that ended with its very head', async () => {
    const { site } = await start(() => {});
    const raw = await site.raw();
    await raw.begin();
    const fields = { ':method': 'CONNECT', ':protocol': 'websocket' };
    await raw.send(raw.request(1, fields, END_HEADERS | END_STREAM));
    await site.until(() => site.sessions.length === 1);
    expect(site.events).toEqual([]);
    accept(site.sessions[0] as ServerSession);
    expect(site.events).toEqual(['end']);
    write(site.sessions[0] as ServerSession, 'bye');
    (site.sessions[0] as ServerSession).end();
    await site.until(() => raw.of(DATA).length > 0);
    expect(raw.resets).toEqual([]);
  });

  test('Http2ServerSession does not take an ordinary answer for a tunnel (RFC 8441 section 5)', async () => {
    const { site, client } = await start((session) => answer(session, 200, 'a page'));
    const got = tunnel(client, WEBSOCKET);
    expect(await got.status).toBe(501);
    expect(await got.closed).toBe(0);
    expect(got.received).toBe('');
    expect(site.sessions[0]?.responseEnded).toBe(true);
  });

  test('Http2ServerSession passes on a refusal', async () => {
    const { client } = await start((session) => answer(session, 403, 'no'));
    const got = tunnel(client, WEBSOCKET);
    expect(await got.status).toBe(403);
    expect(await got.closed).toBe(0);
    expect(got.received).toBe('no');
  });

  test('Http2ServerSession takes no extended CONNECT where it is switched off', async () => {
    const { site } = await start((session) => answer(session), { h2: { extendedConnect: false } });
    const raw = await site.raw();
    await raw.begin();
    await raw.send(raw.request(1, { ':method': 'CONNECT', ':protocol': 'websocket' }, END_HEADERS));
    await site.until(() => raw.resets.length > 0 || raw.goaways.length > 0);
    expect(site.sessions).toEqual([]);
    expect(raw.resets).toEqual(['1: 1']);
  });

  test('Http2ServerSession has no deadline for the bytes of a tunnel', async () => {
    const { site, client } = await start(accept, { readTimeoutMs: 1_000, writeTimeoutMs: 1_000 });
    const opened = tunnel(client, WEBSOCKET);
    await opened.status;
    await site.pass(60_000);
    expect(site.events).toEqual([]);
    opened.stream.close(8);
    await site.until(() => site.errors.length === 1);
  });
});

describe('Http2ServerSession: CONNECT', () => {
  test('Http2ServerSession opens a tunnel with a 2xx', async () => {
    const { site, client } = await start((session) => {
      session.writeHead(new ResponseHeader(200, HeaderMap.from({ 'Content-Length': '3' })), false);
      session.resume();
    });
    const opened = tunnel(client, { ':authority': 'db.test:5432' });
    expect(await opened.status).toBe(200);
    const [session] = site.sessions as [ServerSession];
    expect(session.requestHeader).toMatchObject({ method: 'CONNECT', target: 'db.test:5432' });
    expect(session.tunnel).toEqual({ kind: 'connect', protocol: undefined });
    expect(session.target?.authority).toBe('db.test:5432');
    opened.stream.write('query');
    await site.until(() => site.events.length === 1);
    write(session, 'more than three bytes');
    session.abort(undefined as never);
    expect(await opened.closed).toBe(10);
  });

  test('Http2ServerSession refuses CONNECT as any request', async () => {
    const { client } = await start((session) => answer(session, 405));
    const opened = tunnel(client, { ':authority': 'db.test:5432' });
    expect(await opened.status).toBe(405);
    expect((await fetchH2(client, {})).status).toBe(405);
  });

  test.each(['h2', 'h2c'])('Http2ServerSession makes no tunnel for %s', async (protocol) => {
    const { site, client } = await start((session) => answer(session));
    const opened = tunnel(client, { ':path': '/', ':protocol': protocol });
    expect(await opened.status).toBe(501);
    expect(await opened.closed).toBe(0);
    expect(site.refused).toEqual(['InvalidHTTPHeader 501']);
    expect(site.sessions).toEqual([]);
  });
});

describe('HttpConnectionApp.shutdownTunnels: HTTP/2', () => {
  test('HttpConnectionApp.shutdownTunnels ends the tunnel, and no other stream of the connection', async () => {
    const { site, client } = await start((session) => {
      if (session.tunnel !== undefined) accept(session);
    });
    const opened = tunnel(client, WEBSOCKET);
    expect(await opened.status).toBe(200);
    const fetched = fetchH2(client, { ':path': '/slow' });
    await site.until(() => site.sessions.length === 2);
    const [chat, slow] = site.sessions as [ServerSession, ServerSession];
    for (const stream of site.streams) site.app.shutdownTunnels(stream);
    expect(site.events).toEqual(['end']);
    opened.stream.write('nobody hears that');
    write(chat, 'last words');
    await site.pass(1_100);
    expect(site.events).toEqual(['end', 'error ConnectionClosed']);
    expect(chat.writable).toBe(false);
    chat.abort(new Error('over') as never);
    expect(await opened.closed).toBe(0);
    expect([opened.received, opened.ended]).toEqual(['last words', true]);
    answer(slow, 200, 'slow answer');
    expect((await fetched).body).toBe('slow answer');
    for (const stream of site.streams) site.app.shutdownTunnels(stream);
    expect(site.events).toHaveLength(2);
  });

  test('HttpConnectionApp.shutdownTunnels lets the owner of an HTTP/2 tunnel have the last word', async () => {
    const { site, client } = await start(accept);
    const opened = tunnel(client, WEBSOCKET);
    expect(await opened.status).toBe(200);
    for (const stream of site.streams) site.app.shutdownTunnels(stream);
    const [chat] = site.sessions as [ServerSession];
    write(chat, 'last words');
    chat.end();
    expect(await opened.closed).toBe(0);
    expect([opened.received, opened.ended]).toEqual(['last words', true]);
    await site.pass(2_000);
    expect(site.events).toEqual(['end']);
  });
});
