/** Requests over HTTP/2, asked by Node's client over real sockets. */
import { once } from 'node:events';
import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2';
import { CirqueError } from '@cirque/error';
import { HeaderMap, ResponseHeader } from '@cirque/http';
import { LeakCheck } from '@cirque/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { errorResponse, type HttpServerOptions, ServeHttpApp, type ServerSession } from '../src/index.ts';
import { answer, fetchH2, Http2Site } from './http2-site.ts';

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
  return { site, client: await site.client() };
}

/** A stream whose errors are no errors of the test. */
function open(client: ClientHttp2Session, headers: Record<string, string>): ClientHttp2Stream {
  const stream = client.request({ ':path': '/', ':method': 'POST', ...headers });
  stream.on('error', () => {});
  return stream;
}

describe('Http2ServerSession: requests', () => {
  test('Http2ServerSession shows a request as HTTP/1 would', async () => {
    const { site, client } = await start((session) => answer(session));
    await fetchH2(client, { ':path': '/a?b=1', cookie: 'a=1', 'x-a': '1' });
    const [session] = site.sessions as [ServerSession];
    expect(session.requestHeader.headers.toJSON()).toEqual({
      host: `127.0.0.1:${site.port}`,
      cookie: 'a=1',
      'x-a': '1',
    });
    expect(session.requestHeader).toMatchObject({ method: 'GET', target: '/a?b=1', version: '2' });
    expect(session).toMatchObject({
      bodyLength: 0,
      tunnel: undefined,
      target: undefined,
      expectContinue: false,
      acceptsTrailers: true,
      requestComplete: true,
      requestNumber: 1,
      connectionContext: undefined,
      shuttingDown: false,
    });
    expect(session.digest.socket.remoteAddress).toBe('127.0.0.1');
    expect(site.events).toEqual([]);
  });

  test('Http2ServerSession carries nothing from request to request', async () => {
    const { site, client } = await start((session) => {
      session.connectionContext = 'mine';
      answer(session, 200, String(session.connectionContext));
    });
    expect((await fetchH2(client, {})).body).toBe('undefined');
    await fetchH2(client, {});
    expect(site.sessions.map(({ requestNumber }) => requestNumber)).toEqual([1, 2]);
  });

  test('Http2ServerSession reports a body, its end and its trailers', async () => {
    const { site, client } = await start(() => {});
    const stream = client.request({ ':path': '/', ':method': 'POST' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '7' }));
    stream.write('hello');
    await site.until(() => site.events.includes('body hello'));
    const [session] = site.sessions as [ServerSession];
    expect(session.bodyLength).toBeUndefined();
    expect(session.requestComplete).toBe(false);
    stream.end('world');
    await site.until(() => session.requestComplete);
    expect(site.events).toEqual(['body hello', 'body world', 'end {"x-sum":"7"}']);
    expect(session.bodyBytesReceived).toBe(10);
    answer(session, 204);
    await new Promise((resolve) => stream.on('close', resolve));
    expect(stream.rstCode).toBe(0);
  });

  test('Http2ServerSession knows the length of a body', async () => {
    const { site, client } = await start((session) => answer(session));
    await fetchH2(client, { ':method': 'POST', 'content-length': '5' }, 'hello');
    expect(site.sessions[0]?.bodyLength).toBe(5);
  });

  test('Http2ServerSession tells when all that came together was reported', async () => {
    let flushes = 0;
    const { site, client } = await start((session) => {
      session.handler.onDownstreamFlush = () => {
        flushes += 1;
        site.events.push('flush');
      };
    });
    const stream = open(client, {});
    stream.write('a');
    await site.until(() => flushes === 1);
    expect(site.events).toEqual(['body a', 'flush']);
    site.sessions[0]?.pause();
    stream.write('b');
    await site.pass(0);
    expect(site.events).toEqual(['body a', 'flush']);
    site.sessions[0]?.resume();
    await site.until(() => flushes === 2);
    expect(site.events).toEqual(['body a', 'flush', 'body b', 'flush']);
  });

  test('Http2ServerSession reports a flush when it is resumed, although nothing of the body has come', async () => {
    const { site, client } = await start((session) => {
      session.handler.onDownstreamFlush = () => site.events.push('flush');
      session.pause();
    });
    open(client, {});
    await site.until(() => site.sessions.length === 1);
    await site.pass(0);
    expect(site.events).toEqual([]);
    site.sessions[0]?.resume();
    await site.until(() => site.events.length > 0);
    expect(site.events).toEqual(['flush']);
  });

  test('Http2ServerSession reports nothing while it is paused, not even the end', async () => {
    const { site, client } = await start((session) => session.pause());
    const stream = open(client, {});
    stream.end('hello');
    await site.until(() => site.sessions.length === 1);
    await new Promise((resolve) => client.ping(resolve));
    expect(site.events).toEqual([]);
    site.sessions[0]?.resume();
    expect(site.events).toEqual(['body hello', 'end']);
    answer(site.sessions[0] as ServerSession);
    await new Promise((resolve) => stream.on('close', resolve));
  });

  test('Http2ServerSession holds no more of a body than its window while it is paused', async () => {
    const { site, client } = await start((session) => session.pause(), { h2: { initialWindowSize: 65_536 } });
    const stream = open(client, {});
    const bytes = 1_000_000;
    stream.end(Buffer.alloc(bytes, 120));
    await site.until(() => site.sessions.length === 1);
    await new Promise((resolve) => client.ping(resolve));
    const received = site.streams[0]?.duplex as unknown as { bytesRead: number };
    expect(received.bytesRead).toBeLessThan(70_000);
    const session = site.sessions[0] as ServerSession;
    session.resume();
    await site.until(() => session.requestComplete);
    expect(session.bodyBytesReceived).toBe(bytes);
    answer(session);
    await new Promise((resolve) => stream.on('close', resolve));
    expect(stream.rstCode).toBe(0);
  });

  test('Http2ServerSession knows a client that waits for 100 Continue, and tells it', async () => {
    const { client } = await start((session) => {
      expect(session.expectContinue).toBe(true);
      session.writeHead(new ResponseHeader(100), false);
      session.handler = { ...session.handler, onRequestEnd: () => answer(session, 200, 'done') };
    });
    const stream = open(client, { expect: '100-continue' });
    const body: string[] = [];
    stream.on('data', (chunk) => body.push(String(chunk)));
    await new Promise((resolve) => stream.on('continue', resolve));
    stream.end('x');
    await new Promise((resolve) => stream.on('close', resolve));
    expect(body.join('')).toBe('done');
  });

  test('Http2ServerSession recognises OPTIONS *', async () => {
    const { site, client } = await start((session) => answer(session));
    await fetchH2(client, { ':method': 'OPTIONS', ':path': '*' });
    expect(site.sessions[0]?.target?.form).toBe('asterisk');
  });

  test('Http2ServerSession answers requests in the order in which they are done', async () => {
    const { site, client } = await start((session) => {
      if (session.requestHeader.target !== '/slow') answer(session, 200, session.requestHeader.target);
    });
    const slow = fetchH2(client, { ':path': '/slow' });
    const quick = await Promise.all(['/1', '/2', '/3'].map((path) => fetchH2(client, { ':path': path })));
    expect(quick.map(({ body }) => body)).toEqual(['/1', '/2', '/3']);
    answer(site.sessions[0] as ServerSession, 200, 'slow');
    expect((await slow).body).toBe('slow');
  });
});

describe('Http2ServerSession: responses', () => {
  test('Http2ServerSession writes head, body and trailers', async () => {
    const { client } = await start((session) => {
      const headers = HeaderMap.from([
        ['X-A', '1'],
        ['Set-Cookie', 'a=1'],
        ['Set-Cookie', 'b=2'],
        ['Connection', 'close, x-gone'],
        ['Transfer-Encoding', 'chunked'],
        ['Keep-Alive', 'timeout=5'],
      ]);
      session.writeHead(new ResponseHeader(201, headers), false);
      session.writeBody(Buffer.from('hel'), 0, 3, undefined);
      session.writeBody(Buffer.from('_lo_'), 1, 3, undefined);
      session.end(HeaderMap.from({ 'X-Sum': '9' }));
    });
    const got = await fetchH2(client, {});
    expect(got).toMatchObject({ status: 201, body: 'hello', trailers: { 'x-sum': '9' }, code: 0 });
    expect(got.headers['set-cookie']).toEqual(['a=1', 'b=2']);
    expect(Object.keys(got.headers).sort()).toEqual([':status', 'date', 'set-cookie', 'x-a']);
  });

  test('Http2ServerSession adds a Date without touching the head it was given', async () => {
    const head = new ResponseHeader(200);
    const { client } = await start((session) => {
      session.writeHead(head, true);
      session.end();
    });
    expect((await fetchH2(client, {})).headers.date).toMatch(/GMT$/);
    expect(head.headers.has('date')).toBe(false);
  });

  test('Http2ServerSession ends a response with its head, and adds no length', async () => {
    const { client } = await start((session) => {
      session.writeHead(new ResponseHeader(200, HeaderMap.from({ 'grpc-status': '5' })), true);
      session.end();
    });
    const got = await fetchH2(client, {});
    expect(Object.keys(got.headers).sort()).toEqual([':status', 'date', 'grpc-status']);
    expect(got).toMatchObject({ body: '', code: 0 });
  });

  test('Http2ServerSession relays informational heads', async () => {
    const { client } = await start((session) => {
      session.writeHead(new ResponseHeader(103, HeaderMap.from({ Link: '</a>' })), false);
      session.writeHead(new ResponseHeader(102), false);
      answer(session, 200, 'ok');
    });
    expect(await fetchH2(client, {})).toMatchObject({ informed: [103, 102], status: 200, body: 'ok' });
  });

  test.each([
    ['HEAD', 200, { 'Content-Length': '5' }, '5'],
    ['GET', 304, { 'Content-Length': '5' }, '5'],
    ['GET', 204, { 'Content-Length': '5' }, undefined],
  ])('Http2ServerSession sends no body to %s with %s', async (method, status, fields, length) => {
    const { site, client } = await start((session) => {
      session.writeHead(new ResponseHeader(status, HeaderMap.from(fields)), false);
      session.writeBody(Buffer.from('hello'), 0, 5, undefined);
      session.end(HeaderMap.from({ 'x-late': '1' }));
    });
    const got = await fetchH2(client, { ':method': method });
    expect(got).toMatchObject({ status, body: '', trailers: undefined, code: 0 });
    expect(got.headers['content-length']).toBe(length);
    expect(site.sessions[0]?.bodyBytesSent).toBe(0);
  });

  test('Http2ServerSession refuses a body that does not fit its Content-Length', async () => {
    const thrown: unknown[] = [];
    const attempt = (action: () => void): void => {
      try {
        action();
      } catch (error) {
        thrown.push((error as CirqueError).type);
      }
    };
    const { client } = await start((session) => {
      const write = (text: string) => session.writeBody(Buffer.from(text), 0, text.length, undefined);
      attempt(() => write('too early'));
      session.writeHead(new ResponseHeader(200, HeaderMap.from({ 'Content-Length': '4' })), false);
      attempt(() => session.writeHead(new ResponseHeader(200), false));
      write('abc');
      attempt(() => session.writeEnd());
      attempt(() => write('de'));
      session.abort(CirqueError.internal('InternalError', 'gave up'));
    });
    expect((await fetchH2(client, {})).code).toBe(2);
    expect(thrown).toEqual(['InternalError', 'InternalError', 'PrematureBodyEnd', 'InternalError']);
  });

  test('Http2ServerSession refuses a Content-Length that is no number, and status 101', async () => {
    const thrown: unknown[] = [];
    const { client } = await start((session) => {
      for (const header of [
        new ResponseHeader(200, HeaderMap.from({ 'Content-Length': 'x' })),
        new ResponseHeader(101),
      ]) {
        try {
          session.writeHead(header, true);
        } catch (error) {
          thrown.push((error as CirqueError).type);
        }
      }
      answer(session, 200, 'fine');
    });
    expect((await fetchH2(client, {})).body).toBe('fine');
    expect(thrown).toEqual(['InternalError', 'InternalError']);
  });

  test('Http2ServerSession follows the windows of the client, and tells when there is room', async () => {
    const chunk = Buffer.alloc(65_536, 'x');
    let left = 64;
    let waits = 0;
    const pump = (session: ServerSession): void => {
      while (left > 0) {
        left -= 1;
        if (!session.writeBody(chunk, 0, chunk.length, undefined)) {
          waits += 1;
          return;
        }
      }
      session.end();
    };
    const { client } = await start((session) => {
      session.handler = { ...session.handler, onDownstreamDrain: () => pump(session) };
      session.writeHead(new ResponseHeader(200), false);
      pump(session);
    });
    const got = await fetchH2(client, {});
    expect(got.body.length).toBe(64 * 65_536);
    expect(got.code).toBe(0);
    expect(waits).toBeGreaterThan(0);
  });

  test('Http2ServerSession tells a client to stop sending once it is answered (RFC 9113 section 8.1)', async () => {
    const { site, client } = await start((session) => answer(session, 413, 'too large'));
    const stream = open(client, {});
    const body: string[] = [];
    let status = 0;
    stream.on('response', (head) => {
      status = Number(head[':status']);
    });
    stream.on('data', (chunk) => body.push(String(chunk)));
    stream.write('beginning');
    await new Promise((resolve) => stream.on('close', resolve));
    expect([status, body.join(''), stream.rstCode]).toEqual([413, 'too large', 0]);
    expect(site.sessions[0]?.responseEnded).toBe(true);
    expect((await fetchH2(client, {})).status).toBe(413);
  });

  test('Http2ServerSession sends all of a large early answer before it tells the client to stop', async () => {
    const body = 'x'.repeat(300_000);
    const { client } = await start((session) => answer(session, 403, body));
    const stream = open(client, {});
    stream.write('beginning');
    let received = 0;
    stream.on('data', (chunk: Buffer) => {
      received += chunk.length;
    });
    await new Promise((resolve) => stream.on('close', resolve));
    expect([received, stream.rstCode]).toEqual([body.length, 0]);
  });

  test('Http2ServerSession cuts a response that cannot be completed', async () => {
    const { client } = await start((session) => {
      session.writeHead(new ResponseHeader(200), false);
      session.writeBody(Buffer.from('some'), 0, 4, undefined);
      session.flush();
      setImmediate(() => session.abort(CirqueError.upstream('ConnectionClosed', 'gone')));
    });
    expect(await fetchH2(client, {})).toMatchObject({ status: 200, code: 2 });
    expect((await fetchH2(client, {})).code).toBe(2);
  });

  test('Http2ServerSession ends with finish what was not ended', async () => {
    const { client } = await start((session) => {
      session.writeHead(new ResponseHeader(200), false);
      session.finish();
      session.finish();
    });
    expect((await fetchH2(client, {})).code).toBe(2);
  });

  test.each(['processNewHttp', 'onRequestBody', 'onDownstreamFlush', 'onRequestEnd'])(
    'Http2ServerConnection ends a connection whose application throws in %s, and tells its requests',
    async (where) => {
      const bug = (): never => {
        throw new Error('bug');
      };
      const { site, client } = await start((session) => {
        session.handler = { ...session.handler, [where]: bug };
        if (where === 'processNewHttp') bug();
      });
      const waiting = open(client, {});
      await site.until(() => site.sessions.length === 1);
      const stream = open(client, {});
      stream.end('x');
      await new Promise((resolve) => stream.on('close', resolve));
      await site.until(() => site.streams[0]?.destroyed === true);
      expect(site.errors[0]).toBe('error InternalError');
      expect(site.refused).toEqual(['InternalError 0']);
      waiting.destroy();
    },
  );
});

describe('Http2ServerSession: clients that leave', () => {
  test('Http2ServerSession tells that the client has cancelled', async () => {
    const { site, client } = await start(() => {});
    const stream = open(client, {});
    stream.write('x');
    await site.until(() => site.events.length === 1);
    stream.close(8);
    await site.until(() => site.errors.length === 1);
    expect(site.errors).toEqual(['error ConnectionClosed']);
    const [session] = site.sessions as [ServerSession];
    expect(session.writable).toBe(false);
    answer(session, 200, 'nobody hears this');
    expect(session.responseStarted).toBe(false);
  });

  test('Http2ServerSession tells each request once that the connection is gone', async () => {
    const { site, client } = await start(() => {});
    open(client, {}).end();
    open(client, {}).write('x');
    await site.until(() => site.sessions.length === 2);
    client.destroy();
    await site.until(() => site.errors.length === 2);
    for (const session of site.sessions) session.abort(new CirqueError('ConnectionClosed'));
    expect(site.errors).toEqual(['error ConnectionClosed', 'error ConnectionClosed']);
  });

  test('Http2ServerSession counts a cancelled request until the application has finished with it', async () => {
    const { site, client } = await start(() => {}, { h2: { maxConcurrentStreams: 2 } });
    for (let round = 0; round < 2; round += 1) {
      const stream = open(client, {});
      await site.until(() => site.sessions.length === round + 1);
      stream.close(8);
      await site.until(() => site.errors.length === round + 1);
    }
    expect((await fetchH2(client, {})).code).toBe(7);
    expect(site.sessions).toHaveLength(2);
    (site.sessions[0] as ServerSession).abort(new CirqueError('ConnectionClosed'));
    const third = fetchH2(client, {});
    await site.until(() => site.sessions.length === 3);
    answer(site.sessions[2] as ServerSession, 200, 'third');
    expect((await third).body).toBe('third');
  });
});

describe('HttpConnectionApp with HTTP/2', () => {
  test('HttpConnectionApp speaks HTTP/1 on the same port', async () => {
    const { site, client } = await start((session) =>
      answer(session, 200, session.requestHeader.version, {
        'Content-Length': String(session.requestHeader.version.length),
      }),
    );
    const first = await site.connect();
    for (const byte of 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n') await first.send(byte);
    expect(await first.waitFor('\r\n\r\n1.1')).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect((await fetchH2(client, {})).body).toBe('2');
  });

  test('HttpConnectionApp takes the preface for a bad HTTP/1 request without the option', async () => {
    const { site } = await start((session) => answer(session), { h2c: false });
    const raw = await site.connect();
    await raw.send('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    expect(await raw.waitFor('\r\n\r\n')).toMatch(/^HTTP\/1\.1 (400|505) /);
    expect(site.sessions).toEqual([]);
  });

  test('ServeHttpApp serves HTTP/2 as it is', async () => {
    const app = new ServeHttpApp(async ({ method, target, body }) => ({
      status: 202,
      headers: { 'X-Seen': `${method} ${target}` },
      body: `got ${(await body()).toString()}`,
    }));
    const { client } = await start((session) => app.processNewHttp(session));
    const got = await fetchH2(client, { ':method': 'PUT', ':path': '/a' }, 'hello');
    expect(got).toMatchObject({ status: 202, body: 'got hello', code: 0 });
    expect(got.headers['x-seen']).toBe('PUT /a');
  });

  test('ServeHttpApp lets go of a cancelled request when its responder is done', async () => {
    const work = [Promise.withResolvers<object>(), Promise.withResolvers<object>()];
    let begun = 0;
    const app = new ServeHttpApp(() => {
      begun += 1;
      return (work[begun - 1]?.promise ?? Promise.resolve({})) as Promise<object>;
    });
    const { site, client } = await start((session) => app.processNewHttp(session), { h2: { maxConcurrentStreams: 2 } });
    for (let round = 0; round < 2; round += 1) {
      const stream = open(client, {});
      stream.end();
      await site.until(() => begun === round + 1);
      stream.close(8);
      await new Promise((resolve) => client.ping(resolve));
    }
    expect((await fetchH2(client, {})).code).toBe(7);
    work[0]?.resolve({});
    work[1]?.reject(new Error('nobody hears this'));
    await Promise.allSettled(work.map(({ promise }) => promise));
    expect((await fetchH2(client, {})).status).toBe(200);
  });

  test('errorResponse is what a session answers to a body that does not come', async () => {
    const { site, client } = await start(() => {}, { readTimeoutMs: 1_000 });
    const stream = open(client, {});
    let status = 0;
    stream.on('response', (head) => {
      status = Number(head[':status']);
    });
    stream.resume();
    stream.write('x');
    await site.until(() => site.events.length === 1);
    await site.pass(900);
    stream.write('y');
    await site.until(() => site.events.length === 2);
    await site.pass(900);
    expect(site.events).toEqual(['body x', 'body y']);
    await site.pass(200);
    expect(site.events).toEqual(['body x', 'body y', 'error ReadTimedout']);
    const [session] = site.sessions as [ServerSession];
    expect(session.writable).toBe(true);
    stream.write('z');
    session.writeHead(errorResponse(408), true);
    session.end();
    await new Promise((resolve) => stream.on('close', resolve));
    expect([status, stream.rstCode]).toEqual([408, 0]);
    expect(site.events).toHaveLength(3);
  });

  test('Http2ServerSession lets a client be silent once the response has begun', async () => {
    const accept = (session: ServerSession): void => session.writeHead(new ResponseHeader(200), false);
    const { site, client } = await start(accept, { readTimeoutMs: 1_000 });
    const stream = open(client, {});
    stream.write('x');
    await once(stream, 'response');
    await site.until(() => site.events.includes('body x'));
    await site.pass(5_000);
    stream.end('y');
    await site.until(() => site.events.includes('end'));
    expect(site.events).toEqual(['body x', 'body y', 'end']);
    site.sessions[0]?.end();
    stream.resume();
    await once(stream, 'close');
    expect(stream.rstCode).toBe(0);
  });

  test('Http2ServerSession does not call a client slow that was told to wait', async () => {
    const { site, client } = await start((session) => session.pause(), { readTimeoutMs: 1_000 });
    const stream = open(client, {});
    stream.write('x');
    await site.until(() => site.sessions.length === 1);
    await site.pass(5_000);
    expect(site.events).toEqual([]);
    site.sessions[0]?.resume();
    await site.until(() => site.events.includes('body x'));
    await site.pass(1_200);
    expect(site.events).toEqual(['body x', 'error ReadTimedout']);
  });
});
