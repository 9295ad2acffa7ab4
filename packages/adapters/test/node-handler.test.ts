import { type IncomingMessage, type RequestListener, request, type ServerResponse } from 'node:http';
import { connect as connectHttp2, createServer as createHttp2Server } from 'node:http2';
import { HttpConnectionApp, ServeHttpApp } from '@cirque/core';
import { HttpPeer } from '@cirque/pool';
import { defineProxy, HttpProxy } from '@cirque/proxy';
import { afterEach, describe, expect, test } from 'vitest';
import { type NodeHandler, toNodeHandler } from '../src/index.ts';
import { ask, closeAll, eventually, Flood, listen, onClose, rawSocket, started } from './node-peers.ts';

afterEach(closeAll);

/** A server of node:http that proxies everything to the origin. */
async function proxyTo(origin: RequestListener, front: (handler: NodeHandler) => RequestListener = (h) => h) {
  const port = await listen(origin);
  const handler = toNodeHandler(defineProxy({ upstreamPeer: () => new HttpPeer(`127.0.0.1:${port}`) }));
  onClose(() => handler.close());
  const proxy = handler.app as HttpProxy;
  return { port: await listen(front(handler)), proxy, handler };
}

function echo(request: IncomingMessage, response: ServerResponse): void {
  const pieces: Buffer[] = [];
  request.on('data', (piece: Buffer) => pieces.push(piece));
  request.on('end', () => {
    response.setHeader('X-Method', request.method ?? '');
    response.setHeader('X-Target', request.url ?? '');
    response.setHeader('X-Length', request.headers['content-length'] ?? 'chunked');
    response.setHeader('Set-Cookie', ['a=1', 'b=2']);
    response.end(Buffer.concat(pieces));
  });
}

describe('toNodeHandler', () => {
  test('a request and its response pass, fields in their spelling', async () => {
    const { port } = await proxyTo(echo);
    const { status, headers, rawHeaders, body } = await ask(port, { path: '/a?b=c', method: 'PUT', body: 'hello' });
    expect([status, body]).toEqual([200, 'hello']);
    expect(headers).toMatchObject({ 'x-method': 'PUT', 'x-target': '/a?b=c', 'x-length': '5', 'content-length': '5' });
    expect(headers['set-cookie']).toEqual(['a=1', 'b=2']);
    expect(rawHeaders).toContain('X-Method');
  });

  test('a chunked request stays chunked', async () => {
    const { port } = await proxyTo(echo);
    const answer = await ask(port, { method: 'POST', body: 'hello', headers: { 'Transfer-Encoding': 'chunked' } });
    expect([answer.headers['x-length'], answer.body]).toEqual(['chunked', 'hello']);
  });

  test('HEAD, 204 and 304 have no body and keep their fields', async () => {
    const { port } = await proxyTo((request, response) => {
      if (request.method === 'HEAD') response.writeHead(200, { 'Content-Length': '7' });
      else response.writeHead(Number(request.url?.slice(1)), { ETag: '"x"' });
      response.end();
    });
    expect(await ask(port, { method: 'HEAD' })).toMatchObject({ status: 200, body: '', complete: true });
    expect((await ask(port, { method: 'HEAD' })).headers['content-length']).toBe('7');
    for (const status of [204, 304]) {
      const answer = await ask(port, { path: `/${status}` });
      expect(answer).toMatchObject({ status, body: '', headers: { etag: '"x"' } });
    }
  });

  test('several megabytes pass both ways, whoever is slow', async () => {
    const { port } = await proxyTo((request, response) => void request.pipe(response));
    const body = Buffer.alloc(8_000_000, 'abcdefgh');
    const answer = await ask(port, { method: 'POST', body });
    expect(answer.body.length).toBe(body.length);
    expect(Buffer.from(answer.body).equals(body)).toBe(true);
  });

  test('a client that does not read stops the upstream', async () => {
    const flood = new Flood();
    const { port } = await proxyTo(flood.respond);
    const client = await rawSocket(port);
    client.pause();
    client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    expect(await flood.stalled()).toBeLessThan(50_000_000);
    client.destroy();
  });

  test('an upstream that does not read stops the client', async () => {
    const { port } = await proxyTo(() => {});
    const client = request({ host: '127.0.0.1', port, method: 'POST', agent: false });
    client.on('error', () => {});
    const flood = new Flood();
    flood.respond(client as never, client as never);
    expect(await flood.stalled()).toBeLessThan(50_000_000);
    client.destroy();
  });

  test('a client that leaves cancels the upstream, once the request is on its way and in the response', async () => {
    let gone = 0;
    const { port, proxy } = await proxyTo((request, response) => {
      response.on('close', () => {
        if (!response.writableFinished) gone += 1;
      });
      if (request.url === '/streaming') response.write('first');
    });
    for (const path of ['/silent', '/streaming']) {
      const before = gone;
      const client = await rawSocket(port);
      client.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
      await eventually(() => proxy.stats().upstream.active === 1);
      if (path === '/streaming') await client.until('first');
      client.destroy();
      await eventually(() => gone === before + 1);
      await eventually(() => proxy.stats().active === 0);
    }
    expect(proxy.stats().failures).toBe(2);
  });

  test('a client that has left before the handler was called is not answered', async () => {
    let late: (() => void) | undefined;
    let reached = false;
    const { port, proxy } = await proxyTo(
      () => (reached = true),
      (handler) => (request, response) => {
        response.on('close', () => {
          late = () => handler(request, response);
        });
      },
    );
    const client = await rawSocket(port);
    client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await new Promise((resolve) => setTimeout(resolve, 20));
    client.destroy();
    await eventually(() => late !== undefined);
    late?.();
    expect([reached, proxy.stats().requests]).toEqual([false, 0]);
  });

  test('an upstream that dies in its body cuts the response, that refuses gives 502', async () => {
    const { port } = await proxyTo((request, response) => {
      if (request.url === '/dead') {
        request.socket.destroy();
        return;
      }
      response.writeHead(200, { 'Content-Length': '10' });
      response.write('part', () => response.destroy());
    });
    const cut = await ask(port);
    expect(cut).toMatchObject({ status: 200, complete: false });
    expect((await ask(port, { path: '/dead', method: 'POST' })).status).toBe(502);
  });

  test('a body without a length that is cut is reset for HTTP/1.0, so that it does not look whole', async () => {
    const { port } = await proxyTo((_request, response) => {
      response.write('part');
      setImmediate(() => response.destroy());
    });
    const client = await rawSocket(port);
    const closed = new Promise<unknown>((resolve) => {
      client.on('error', resolve);
      client.on('end', () => resolve('end'));
    });
    client.write('GET / HTTP/1.0\r\n\r\n');
    expect(await closed).toMatchObject({ code: 'ECONNRESET' });
  });

  test('trailers pass both ways where the client reads them', async () => {
    const { port } = await proxyTo((request, response) => {
      request.resume().on('end', () => {
        response.setHeader('Trailer', 'X-Sum');
        response.write('body');
        response.addTrailers({ 'X-Sum': String(request.trailers['x-check'] ?? 'none') });
        response.end();
      });
    });
    const headers = { TE: 'trailers', Connection: 'TE, close' };
    expect((await ask(port, { headers })).trailers).toEqual({ 'x-sum': 'none' });
    expect((await ask(port)).trailers).toEqual({});
  });

  test('interim responses pass', async () => {
    const { port } = await proxyTo((_request, response) => {
      response.writeEarlyHints({ link: '</style.css>; rel=preload' });
      response.end('done');
    });
    expect(await ask(port)).toMatchObject({ interim: [103], body: 'done' });
  });

  test('100 Continue comes from the upstream where the server listens for it', async () => {
    let continued = 0;
    const origin = await listen(echo, (server) =>
      server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
        continued += 1;
        response.writeContinue();
        echo(request, response);
      }),
    );
    const handler = toNodeHandler(defineProxy({ upstreamPeer: () => new HttpPeer(`127.0.0.1:${origin}`) }));
    onClose(() => handler.close());
    const port = await listen(handler, (server) => server.on('checkContinue', handler));
    const question = { method: 'POST', body: 'x', headers: { Expect: '100-continue', 'Content-Length': '1' } };
    expect(await ask(port, { ...question, expectContinue: true })).toMatchObject({ interim: [100], body: 'x' });
    expect(continued).toBe(1);
    const simple = await listen(handler);
    expect(await ask(simple, { ...question, expectContinue: true })).toMatchObject({ interim: [100], body: 'x' });
    expect(continued).toBe(1);
  });

  test('what middleware has set on the response stays', async () => {
    const { port } = await proxyTo(echo, (handler) => (request, response) => {
      response.setHeader('X-Powered-By', 'middleware');
      handler(request, response);
    });
    expect((await ask(port)).headers).toMatchObject({ 'x-powered-by': 'middleware', 'x-method': 'GET' });
  });

  test('a body that a parser has read is an error for the framework, or comes from the option', async () => {
    const errors: unknown[] = [];
    const reading =
      (then: (request: IncomingMessage, response: ServerResponse, body: string) => void): RequestListener =>
      (request, response) => {
        let body = '';
        request.on('data', (piece) => {
          body += piece;
        });
        request.on('end', () => then(request, response, body));
      };
    const { port, proxy } = await proxyTo(echo, (handler) =>
      reading((request, response) =>
        handler(request, response, (error) => {
          errors.push(error);
          response.end('handled');
        }),
      ),
    );
    expect((await ask(port, { method: 'POST', body: '{"a":1}' })).body).toBe('handled');
    expect(String(errors[0])).toContain('was read before the proxy got it');
    const bodies = new WeakMap<object, string>();
    const giving = toNodeHandler(proxy, { body: (request) => bodies.get(request) });
    const second = await listen(
      reading((request, response, body) => {
        bodies.set(request, `${body}!`);
        giving(request, response);
      }),
    );
    expect(await ask(second, { method: 'POST', body: '{"a":1}' })).toMatchObject({ status: 200, body: '{"a":1}!' });
    const bare = await listen(reading((request, response) => toNodeHandler(proxy)(request, response)));
    expect((await ask(bare, { method: 'POST', body: 'x' })).status).toBe(500);
  });

  test.each([
    ['two Host fields', 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n'],
    ['a Host with userinfo', 'GET / HTTP/1.1\r\nHost: a@b\r\n\r\n'],
    ['a nominated Host', 'GET / HTTP/1.1\r\nHost: a\r\nConnection: host\r\n\r\n'],
    ['a target that is none', 'GET * HTTP/1.1\r\nHost: a\r\n\r\n'],
  ])('%s are refused with 400', async (_, bytes) => {
    const { port, proxy } = await proxyTo(echo);
    const client = await rawSocket(port);
    client.write(bytes);
    await client.until('HTTP/1.1 400');
    await eventually(() => client.readableEnded);
    expect(proxy.stats()).toMatchObject({ requests: 0 });
  });

  test('a response before the end of the request ends the connection', async () => {
    const { port } = await proxyTo((_request, response) => void response.end('early'));
    const client = await rawSocket(port);
    client.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n123');
    await client.until('early');
    expect(client.text.toLowerCase()).toContain('connection: close');
    await eventually(() => client.readableEnded);
  });

  test('the connection persists otherwise', async () => {
    const { port } = await proxyTo(echo);
    const client = await rawSocket(port);
    client.write('GET /1 HTTP/1.1\r\nHost: x\r\n\r\n');
    await client.until('X-Target: /1');
    client.write('GET /2 HTTP/1.1\r\nHost: x\r\n\r\n');
    await client.until('X-Target: /2');
  });

  test('the client of a phase is that of the socket', async () => {
    const seen: unknown[] = [];
    const handler = toNodeHandler(
      defineProxy({
        requestFilter(session) {
          seen.push(session.clientAddress, session.digest.ssl);
          session.respond(200, 'own');
          return true;
        },
        upstreamPeer: () => new HttpPeer('127.0.0.1:1'),
      }),
    );
    onClose(() => handler.close());
    expect((await ask(await listen(handler))).body).toBe('own');
    expect(seen).toEqual(['127.0.0.1', undefined]);
  });

  test('serves any HTTP application', async () => {
    const app = new ServeHttpApp(async ({ target, body }) => ({ body: `${target} ${(await body()).toString()}` }));
    const port = await listen(toNodeHandler(app));
    expect((await ask(port, { method: 'POST', path: '/x', body: 'hi' })).body).toBe('/x hi');
  });

  test('serves requests of node:http2', async () => {
    const { handler } = await proxyTo(echo);
    const server = createHttp2Server(handler);
    const port = await started(server as never);
    const client = connectHttp2(`http://127.0.0.1:${port}`);
    onClose(() => void client.destroy());
    const stream = client.request({ ':method': 'POST', ':path': '/h2', cookie: ['a=1', 'b=2'] });
    stream.end('over h2');
    let status = 0;
    let cookies: unknown;
    stream.on('response', (headers) => {
      status = Number(headers[':status']);
      cookies = headers['set-cookie'];
    });
    let body = '';
    for await (const piece of stream) body += piece;
    expect([status, body, cookies]).toEqual([200, 'over h2', ['a=1', 'b=2']]);
  });

  test('what cannot be served, and options without use, are refused', () => {
    expect(() => toNodeHandler(7 as never)).toThrow('cannot serve 7');
    expect(() => toNodeHandler({} as never)).toThrow('newCtx');
    const proxy = new HttpProxy(defineProxy({ upstreamPeer: () => new HttpPeer('127.0.0.1:1') }));
    expect(() => toNodeHandler(proxy, { proxy: {} })).toThrow('options proxy and logger are for phases');
    expect(() => new HttpConnectionApp(proxy)).not.toThrow();
  });
});

describe('what others do with the response', () => {
  test.each<[string, (response: ServerResponse) => void]>([
    ['end', (response) => void response.end('the end')],
    ['destroy', (response) => void response.destroy()],
  ])('to %s it in the middle harms nobody', async (_, finish) => {
    const flood = new Flood();
    let taken = 0;
    const { port, proxy } = await proxyTo(flood.respond, (handler) => (request, response) => {
      const write = response.write.bind(response) as (...args: unknown[]) => boolean;
      response.write = (...args: unknown[]): boolean => {
        const room = write(...args);
        taken += 1;
        if (taken === 2) finish(response);
        // Whoever writes on after that writes at once.
        return taken < 4 || room;
      };
      handler(request, response);
    });
    const failures: unknown[] = [];
    const noted = (error: unknown): void => void failures.push(error);
    process.on('uncaughtException', noted);
    await ask(port).catch(() => undefined);
    await eventually(() => flood.closed);
    await eventually(() => proxy.stats().active === 0);
    process.off('uncaughtException', noted);
    expect(failures).toEqual([]);
  });
});

test('HTTP/2: a body without Content-Length that somebody has read before is an error, not an empty body', async () => {
  const { handler, proxy } = await proxyTo(echo);
  const server = createHttp2Server((request, response) => {
    request.resume().on('end', () => handler(request, response));
  });
  const port = await started(server as never);
  const client = connectHttp2(`http://127.0.0.1:${port}`);
  onClose(() => client.close());
  const stream = client.request({ ':method': 'POST' });
  stream.end('read before');
  const status = await new Promise((resolve) => {
    stream.on('response', (fields) => resolve(fields[':status'])).resume();
  });
  expect([status, proxy.stats().requests]).toEqual([500, 0]);
});

test('HTTP/2: an authority that is not the Host is refused', async () => {
  const { handler, proxy } = await proxyTo(echo);
  const server = createHttp2Server(handler);
  const port = await started(server as never);
  const client = connectHttp2(`http://127.0.0.1:${port}`);
  onClose(() => client.close());
  const status = (headers: Record<string, string>): Promise<number> =>
    new Promise((resolve, reject) => {
      const stream = client.request(headers);
      stream.on('response', (fields) => resolve(fields[':status'] as number));
      stream.on('error', reject).resume();
    });
  expect(await status({ ':authority': 'a.example', host: 'A.example' })).toBe(200);
  expect(await status({ ':authority': 'a.example', host: 'b.example' })).toBe(400);
  expect(proxy.stats().requests).toBe(1);
});
