import { createServer, type IncomingMessage, type RequestListener, request, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import { makeCa } from '@cirque/testing';
import { afterEach, describe, expect, test } from 'vitest';
import httpProxy, {
  createProxyServer,
  type ProxyResponse,
  type ProxyServer,
  type ServerOptions,
} from '../src/http-proxy.ts';
import { ask, closeAll, eventually, Flood, listen, onClose, rawSocket, started } from './node-peers.ts';

afterEach(closeAll);

/** What the origin saw, as JSON. */
function mirror(request: IncomingMessage, response: ServerResponse): void {
  let body = '';
  request.on('data', (piece) => (body += piece));
  request.on('end', () => {
    const { method, url, headers } = request;
    response.setHeader('Content-Type', 'application/json');
    response.end(JSON.stringify({ method, url, headers, body }));
  });
}

interface Seen {
  method: string;
  url: string;
  headers: Record<string, string>;
  body: string;
}

const originOf = async (listener: RequestListener = mirror): Promise<string> =>
  `http://127.0.0.1:${await listen(listener)}`;

function opened(options: ServerOptions): ProxyServer {
  const proxy = createProxyServer(options);
  onClose(() => proxy.close());
  return proxy;
}

/** A proxy server on a port of its own. */
async function front(options: ServerOptions, prepare: (proxy: ProxyServer) => void = () => {}): Promise<number> {
  const proxy = opened(options);
  prepare(proxy);
  return listen((request, response) => proxy.web(request, response));
}

async function seen(port: number, question: Parameters<typeof ask>[1] = {}): Promise<Seen> {
  return JSON.parse((await ask(port, question)).body) as Seen;
}

describe('web: where requests go, and how', () => {
  test('the path of the target comes first, the host is that of the client', async () => {
    const target = `${await originOf()}/base/`;
    const { url, headers } = await seen(await front({ target }), { path: '/a//b?c', headers: { Host: 'a.example' } });
    expect([url, headers.host]).toEqual(['/base/a//b?c', 'a.example']);
  });

  test.each<[ServerOptions, string]>([
    [{ prependPath: false }, '/a?b'],
    [{ ignorePath: true }, '/base'],
    [{ ignorePath: true, prependPath: false }, '/'],
    [{ toProxy: true }, '/a?b'],
  ])('paths with %j', async (options, expected) => {
    const target = `${await originOf()}/base`;
    expect((await seen(await front({ target, ...options }), { path: '/a?b' })).url).toBe(expected);
  });

  test('toProxy leaves an absolute target as it is, otherwise it becomes a path', async () => {
    const target = await originOf();
    const path = 'http://elsewhere.example/x?y';
    expect((await seen(await front({ target, toProxy: true }), { path })).url).toBe(path);
    expect((await seen(await front({ target }), { path })).url).toBe('/x?y');
  });

  test('changeOrigin, headers, auth, method', async () => {
    const target = await originOf();
    const options = {
      target,
      changeOrigin: true,
      headers: { 'X-A': '1', 'X-B': ['2', '3'] },
      auth: 'me:secret',
      method: 'PUT',
    };
    const { method, headers } = await seen(await front(options), { headers: { 'x-a': 'client' } });
    expect(method).toBe('PUT');
    expect(headers).toMatchObject({ host: new URL(target).host, 'x-a': '1', 'x-b': '2, 3' });
    expect(headers.authorization).toBe(`Basic ${Buffer.from('me:secret').toString('base64')}`);
  });

  test('xfwd adds to what is there', async () => {
    const port = await front({ target: await originOf(), xfwd: true });
    const fresh = await seen(port, { headers: { Host: 'a.example:81' } });
    expect(fresh.headers).toMatchObject({
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-port': '81',
      'x-forwarded-proto': 'http',
      'x-forwarded-host': 'a.example:81',
    });
    const claimed = { 'X-Forwarded-For': '192.0.2.1', 'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'b' };
    expect((await seen(port, { headers: claimed })).headers).toMatchObject({
      'x-forwarded-for': '192.0.2.1,127.0.0.1',
      'x-forwarded-proto': 'https,http',
      'x-forwarded-host': 'b',
    });
  });

  test('options of a request go before those of the server', async () => {
    const proxy = opened({ target: 'http://127.0.0.1:1', headers: { 'X-A': '1' } });
    const target = await originOf();
    const port = await listen((request, response) => proxy.web(request, response, { target }));
    expect((await seen(port)).headers['x-a']).toBe('1');
  });

  test('bodies pass, of any size', async () => {
    const port = await front({ target: await originOf((request, response) => void request.pipe(response)) });
    const body = Buffer.alloc(3_000_000, 'abc');
    expect((await ask(port, { method: 'POST', body })).body.length).toBe(body.length);
    expect((await seen(await front({ target: await originOf() }), { method: 'DELETE' })).body).toBe('');
  });

  test('redirects and cookies are rewritten', async () => {
    const target = await originOf((_request, response) => {
      const location = `${target}/there`;
      response.writeHead(302, { Location: location, 'Set-Cookie': ['a=1; Domain=x; Path=/p', 'b=2'] }).end();
    });
    const options = { target, autoRewrite: true, cookieDomainRewrite: 'y', cookiePathRewrite: { '/p': '/' } };
    const { headers } = await ask(await front(options), { headers: { Host: 'front.example' } });
    expect(headers.location).toBe('http://front.example/there');
    expect(headers['set-cookie']).toEqual(['a=1; Domain=y; Path=/', 'b=2']);
  });

  test('forward gets a copy and slows nothing down', async () => {
    const copies: Seen[] = [];
    const forward = await originOf((request, response) => {
      let body = '';
      request.on('data', (piece) => (body += piece));
      request.on('end', () => {
        copies.push({ method: request.method as string, url: request.url as string, headers: {}, body });
        response.end('dropped');
      });
    });
    const both = await front({ target: await originOf(), forward: `${forward}/copy` });
    expect((await seen(both, { method: 'POST', path: '/a', body: 'hello' })).body).toBe('hello');
    await eventually(() => copies.length === 1);
    expect(copies[0]).toMatchObject({ method: 'POST', url: '/copy/a', body: 'hello' });
    expect(await ask(await front({ forward }), { method: 'POST', body: 'only' })).toMatchObject({
      status: 200,
      body: '',
    });
    await eventually(() => copies.length === 2);
    expect(copies[1]?.body).toBe('only');
    const dead = await front({ target: await originOf(), forward: 'http://127.0.0.1:1' });
    expect((await seen(dead, { method: 'POST', body: 'x' })).body).toBe('x');
  });

  test('TLS targets are verified unless secure is false', async () => {
    const ca = makeCa('test');
    const server = createHttpsServer(ca.issue({ names: ['localhost'] }), mirror);
    const target = `https://localhost:${await started(server as never)}`;
    expect((await ask(await front({ target }))).status).toBe(502);
    expect((await ask(await front({ target, secure: false }))).status).toBe(200);
    expect((await ask(await front({ target, ca: ca.cert }))).status).toBe(200);
  });

  test('targets in parts, on unix sockets too', async () => {
    const { port } = new URL(await originOf());
    expect((await seen(await front({ target: { host: '127.0.0.1', port } }), { path: '/x' })).url).toBe('/x');
    const path = join(tmpdir(), `cirque-shim-${process.pid}.sock`);
    const server = createServer(mirror).listen(path);
    onClose(() => void server.close());
    expect((await seen(await front({ target: { socketPath: path } }), { path: '/y' })).url).toBe('/y');
  });
});

describe('web: events', () => {
  test('they come in order', async () => {
    const events: string[] = [];
    const port = await front({ target: await originOf() }, (proxy) => {
      for (const name of ['start', 'proxyReq', 'proxyRes', 'end', 'error'] as const) {
        proxy.on(name, () => events.push(name));
      }
    });
    await ask(port);
    expect(events).toEqual(['start', 'proxyReq', 'proxyRes', 'end']);
  });

  test('proxyReq can change the request', async () => {
    const port = await front({ target: await originOf() }, (proxy) =>
      proxy.on('proxyReq', (proxied, _request, _response, options) => {
        expect(options.target).toBeDefined();
        proxied.setHeader('X-Added', 'yes');
        proxied.setHeader('X-Number', 7);
        proxied.appendHeader('X-Number', '8');
        proxied.removeHeader('X-Gone');
        proxied.path += '&more';
        proxied.method = 'PATCH';
        proxied.setHeader(
          'X-Facts',
          `${proxied.protocol} ${proxied.hasHeader('x-kept')} ${proxied.getHeader('x-number')}`,
        );
        expect(proxied.getHeaderNames()).toContain('x-kept');
      }),
    );
    const { method, url, headers } = await seen(port, { path: '/a?b', headers: { 'X-Gone': '1', 'X-Kept': '2' } });
    expect([method, url]).toEqual(['PATCH', '/a?b&more']);
    expect(headers).toMatchObject({ 'x-added': 'yes', 'x-number': '7, 8', 'x-kept': '2', 'x-facts': 'http: true 7,8' });
    expect(headers['x-gone']).toBeUndefined();
  });

  test('proxyReq can give the request up', async () => {
    const port = await front({ target: await originOf() }, (proxy) =>
      proxy.on('proxyReq', (proxied) => proxied.destroy(new Error('not this one'))),
    );
    expect((await ask(port)).status).toBe(502);
  });

  test('proxyRes can change the response, and listen to it', async () => {
    let heard = '';
    const origin = await originOf((_request, response) => {
      response.writeHead(200, { 'X-Gone': '1', 'X-Kept': '2', 'Set-Cookie': ['a=1', 'b=2'] });
      response.end('body');
    });
    const port = await front({ target: origin }, (proxy) =>
      proxy.on('proxyRes', (proxied, _request, response) => {
        expect(proxied.headers['set-cookie']).toEqual(['a=1', 'b=2']);
        proxied.statusCode = 203;
        proxied.headers['x-added'] = 'yes';
        delete proxied.headers['x-gone'];
        response.setHeader('X-Direct', '1');
        proxied.on('data', (piece) => (heard += piece));
      }),
    );
    const { status, headers, rawHeaders, body } = await ask(port);
    expect([status, body, heard]).toEqual([203, 'body', 'body']);
    expect(headers).toMatchObject({ 'x-added': 'yes', 'x-kept': '2', 'x-direct': '1', 'set-cookie': ['a=1', 'b=2'] });
    expect(headers['x-gone']).toBeUndefined();
    expect(rawHeaders).toContain('X-Kept');
  });

  test('with selfHandleResponse the listener answers', async () => {
    const port = await front({ target: await originOf(), selfHandleResponse: true }, (proxy) =>
      proxy.on('proxyRes', (proxied, _request, response) => {
        let body = '';
        proxied.on('data', (piece) => (body += piece));
        proxied.on('end', () => response.writeHead(202).end(`wrapped ${(JSON.parse(body) as Seen).url}`));
      }),
    );
    expect(await ask(port, { path: '/x' })).toMatchObject({ status: 202, body: 'wrapped /x' });
  });

  test('with selfHandleResponse a slow reader stops the target', async () => {
    const flood = new Flood();
    let proxied: ProxyResponse | undefined;
    const port = await front({ target: await originOf(flood.respond), selfHandleResponse: true }, (proxy) =>
      proxy.on('proxyRes', (made) => (proxied = made)),
    );
    const client = await rawSocket(port);
    client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    expect(await flood.stalled()).toBeLessThan(50_000_000);
    let read = 0;
    proxied?.on('data', (piece: Buffer) => (read += piece.length));
    await eventually(() => read > 60_000_000);
    client.destroy();
    await eventually(() => flood.closed);
  });

  test('a proxyRes listener that has answered already is left alone', async () => {
    const port = await front({ target: await originOf() }, (proxy) =>
      proxy.on('proxyRes', (_proxied, _request, response) => void response.writeHead(418).end('mine')),
    );
    expect(await ask(port)).toMatchObject({ status: 418, body: 'mine' });
  });

  test('a listener that throws hurts its own request only', async () => {
    let first = true;
    const port = await front({ target: await originOf() }, (proxy) =>
      proxy.on('proxyReq', () => {
        if (!first) return;
        first = false;
        throw new Error('broken listener');
      }),
    );
    expect((await ask(port)).status).toBe(500);
    expect((await ask(port)).status).toBe(200);
  });
});

describe('web: request bodies that were read before', () => {
  const parsed =
    (then: (request: IncomingMessage, response: ServerResponse, body: string) => void): RequestListener =>
    (request, response) => {
      let body = '';
      request.on('data', (piece) => (body += piece));
      request.on('end', () => then(request, response, body));
    };

  test('a proxyReq listener writes one', async () => {
    const bodies = new WeakMap<IncomingMessage, string>();
    const proxy = opened({ target: await originOf() });
    proxy.on('proxyReq', (proxied, request) => {
      const body = JSON.stringify({ parsed: bodies.get(request) });
      proxied.setHeader('Content-Length', Buffer.byteLength(body));
      proxied.write(body);
    });
    const port = await listen(
      parsed((request, response, body) => {
        bodies.set(request, body);
        proxy.web(request, response);
      }),
    );
    const { body, headers } = await seen(port, { method: 'POST', body: 'é' });
    expect(JSON.parse(body)).toEqual({ parsed: 'é' });
    expect(headers['content-length']).toBe('15');
  });

  test('option buffer gives one', async () => {
    const proxy = opened({ target: await originOf() });
    const port = await listen(
      parsed((request, response, body) => proxy.web(request, response, { buffer: Readable.from([Buffer.from(body)]) })),
    );
    const { body, headers } = await seen(port, { method: 'POST', body: 'again' });
    expect([body, headers['content-length']]).toEqual(['again', '5']);
  });

  test('otherwise it is an error that says what to do, not a request that hangs', async () => {
    const errors: string[] = [];
    const proxy = opened({ target: await originOf() });
    const port = await listen(
      parsed((request, response) =>
        proxy.web(request, response, (error) => {
          errors.push(error.message);
          response.writeHead(500).end();
        }),
      ),
    );
    expect((await ask(port, { method: 'POST', body: 'x' })).status).toBe(500);
    expect(errors[0]).toContain('put the proxy before body parsers');
  });

  test('a request that comes as it is cannot be written', async () => {
    let message = '';
    const port = await front({ target: await originOf() }, (proxy) =>
      proxy.on('proxyReq', (proxied) => {
        try {
          proxied.write('x');
        } catch (error) {
          message = (error as Error).message;
        }
      }),
    );
    expect((await seen(port, { method: 'POST', body: 'own' })).body).toBe('own');
    expect(message).toContain('is for requests whose body was read before');
  });
});

describe('web: failures', () => {
  test('without a listener the client gets 502, and nothing is thrown', async () => {
    expect((await ask(await front({ target: 'http://127.0.0.1:1' }))).status).toBe(502);
  });

  test('an error listener answers', async () => {
    const port = await front({ target: 'http://127.0.0.1:1' }, (proxy) =>
      proxy.on('error', (error, request, answer, target) => {
        (answer as ServerResponse).writeHead(503).end(`${error.code} ${request.url} ${target}`);
      }),
    );
    expect(await ask(port, { path: '/x' })).toMatchObject({ status: 503, body: 'ECONNREFUSED /x http://127.0.0.1:1' });
  });

  test('a callback goes before the listeners', async () => {
    const proxy = opened({ target: 'http://127.0.0.1:1' });
    proxy.on('error', () => {
      throw new Error('not asked');
    });
    const port = await listen((request, response) =>
      proxy.web(request, response, {}, (error, _request, answer) => void answer.writeHead(504).end(error.code)),
    );
    expect(await ask(port)).toMatchObject({ status: 504, body: 'ECONNREFUSED' });
  });

  test('a listener that throws does not leave the client alone', async () => {
    const port = await front({ target: 'http://127.0.0.1:1' }, (proxy) =>
      proxy.on('error', () => {
        throw new Error('broken listener');
      }),
    );
    expect((await ask(port)).status).toBe(502);
  });

  test('proxyTimeout gives ETIMEDOUT, a target that hangs up ECONNRESET', async () => {
    const codes: string[] = [];
    const watch = (proxy: ProxyServer): void => {
      proxy.on('error', (error, _request, answer) => {
        codes.push(error.code);
        (answer as ServerResponse).writeHead(502).end();
      });
    };
    await ask(await front({ target: await originOf(() => {}), proxyTimeout: 30 }, watch));
    await ask(await front({ target: await originOf((request) => void request.socket.destroy()) }, watch), {
      method: 'POST',
    });
    expect(codes).toEqual(['ETIMEDOUT', 'ECONNRESET']);
  });

  test('timeout ends an idle client', async () => {
    const port = await front({ target: await originOf(() => {}), timeout: 30 });
    const client = await rawSocket(port);
    client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await eventually(() => client.readableEnded || client.destroyed);
  });

  test('a client that leaves is no error but econnreset', async () => {
    const events: string[] = [];
    let gone = false;
    const target = await originOf((_request, response) => void response.on('close', () => (gone = true)));
    const port = await front({ target }, (proxy) => {
      proxy.on('error', () => events.push('error'));
      proxy.on('econnreset', (_error, _request, _answer, where) => events.push(`econnreset ${where === target}`));
    });
    const client = request({ host: '127.0.0.1', port, agent: false });
    client.on('error', () => {});
    client.end();
    await new Promise((resolve) => setTimeout(resolve, 30));
    client.destroy();
    await eventually(() => gone && events.length > 0);
    expect(events).toEqual(['econnreset true']);
  });

  test('a response that is cut is cut, and whoever listens hears of it', async () => {
    const heard: string[] = [];
    const target = await originOf((_request, response) => {
      response.writeHead(200, { 'Content-Length': '10' });
      response.write('part', () => response.destroy());
    });
    const port = await front({ target }, (proxy) =>
      proxy.on('proxyRes', (proxied) => {
        proxied.on('aborted', () => heard.push('aborted'));
        proxied.on('error', () => heard.push('error'));
      }),
    );
    expect(await ask(port)).toMatchObject({ status: 200, complete: false });
    await eventually(() => heard.length === 2);
  });

  test('a proxy without a target says so', async () => {
    expect((await ask(await front({}))).status).toBe(500);
    const port = await front({}, (proxy) =>
      proxy.on('error', (error, _request, answer) => void (answer as ServerResponse).writeHead(500).end(error.message)),
    );
    expect((await ask(port)).body).toContain('expected option target or forward');
  });

  test('what is no acceptable request is refused', async () => {
    const client = await rawSocket(await front({ target: await originOf() }));
    client.write('GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n');
    await client.until('HTTP/1.1 400');
  });
});

describe('ws', () => {
  const HELLO = 'GET /chat?x HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
  const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-Origin: 1\r\n\r\n';

  async function sockets(
    accept: (request: IncomingMessage, socket: Socket) => void,
    prepare: (proxy: ProxyServer) => void = () => {},
    options: ServerOptions = {},
  ): Promise<number> {
    const origin = await listen(mirror, (server) => server.on('upgrade', accept));
    const proxy = opened({ target: `ws://127.0.0.1:${origin}/base`, ...options });
    prepare(proxy);
    return listen(
      (request, response) => proxy.web(request, response),
      (server) => server.on('upgrade', (request, socket, head) => proxy.ws(request, socket, head)),
    );
  }

  test('bytes pass, listeners see the request, the opening and the end', async () => {
    const events: string[] = [];
    const port = await sockets(
      (request, socket) => {
        events.push(`origin ${request.url} ${request.headers['x-ws']}`);
        socket.write(SWITCH);
        socket.on('data', (chunk) => socket.write(`echo ${chunk}`));
        socket.on('end', () => socket.end());
      },
      (proxy) => {
        proxy.on('proxyReqWs', (proxied) => void proxied.setHeader('X-WS', 'yes'));
        proxy.on('open', (bytes) => void bytes.on('data', (piece) => events.push(`target says ${piece}`)));
        proxy.on('close', (proxied) => events.push(`close ${proxied.headers['x-origin']}`));
      },
    );
    const client = await rawSocket(port);
    client.write(HELLO);
    await client.until('X-Origin: 1');
    client.write('hi');
    await client.until('echo hi');
    client.end();
    await eventually(() => events.includes('close 1'));
    expect(events).toEqual(['origin /base/chat?x yes', 'target says echo hi', 'close 1']);
  });

  test('a failure is a 502 and an end, or what the listener writes', async () => {
    const dead = { target: 'ws://127.0.0.1:1' };
    const plain = await rawSocket(await sockets(() => {}, undefined, dead));
    plain.write(HELLO);
    await plain.until('502');
    await eventually(() => plain.readableEnded);
    const codes: string[] = [];
    const answering = await sockets(
      () => {},
      (proxy) =>
        proxy.on('error', (error, _request, answer) => {
          codes.push(error.code);
          answer.end('HTTP/1.1 503 Later\r\n\r\n' as never);
        }),
      dead,
    );
    const answered = await rawSocket(answering);
    answered.write(HELLO);
    await answered.until('503 Later');
    await eventually(() => answered.readableEnded);
    expect(answered.text).not.toContain('502');
    const watching = await rawSocket(
      await sockets(
        () => {},
        (proxy) => proxy.on('error', (error) => codes.push(error.code)),
        dead,
      ),
    );
    watching.write(HELLO);
    await watching.until('502');
    expect(codes).toEqual(['ECONNREFUSED', 'ECONNREFUSED']);
  });

  test('a refusal of the target passes', async () => {
    const port = await sockets((_request, socket) => void socket.end('HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n'));
    const client = await rawSocket(port);
    client.write(HELLO);
    await client.until('HTTP/1.1 401');
  });

  test('what is no WebSocket is cut', async () => {
    const client = await rawSocket(await sockets(() => {}));
    client.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\n');
    await eventually(() => client.readableEnded || client.destroyed);
    expect(client.text).toBe('');
  });

  test('whoever vanishes takes the other side with him', async () => {
    const origins: Socket[] = [];
    const port = await sockets((_request, socket) => {
      origins.push(socket);
      socket.on('error', () => {});
      socket.write(SWITCH);
    });
    for (const clientLeaves of [true, false]) {
      const client = await rawSocket(port);
      client.on('error', () => {});
      client.write(HELLO);
      await client.until('X-Origin');
      const origin = origins.pop() as Socket;
      (clientLeaves ? client : origin).resetAndDestroy();
      await eventually(() => client.destroyed && origin.destroyed);
    }
  });
});

describe('createProxyServer', () => {
  test('listens by itself, with WebSockets', async () => {
    const origin = await listen(mirror, (server) =>
      server.on('upgrade', (_request, socket: Socket) => {
        socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello');
      }),
    );
    const proxy = httpProxy.createServer({ target: `http://127.0.0.1:${origin}`, ws: true }).listen(0, '127.0.0.1');
    await eventually(() => proxy.address() !== undefined);
    const port = proxy.address()?.port as number;
    expect((await seen(port, { path: '/x' })).url).toBe('/x');
    const client = await rawSocket(port);
    client.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    await client.until('hello');
    client.destroy();
    await new Promise<void>((resolve) => proxy.close(resolve));
    expect(proxy.address()).toBeUndefined();
  });

  test('serves HTTPS with option ssl', async () => {
    const ca = makeCa('test');
    const proxy = opened({ target: await originOf(), ssl: ca.issue({ names: ['localhost'] }), xfwd: true });
    proxy.listen(0, '127.0.0.1');
    await eventually(() => proxy.address() !== undefined);
    const socket = connectTls({
      port: proxy.address()?.port as number,
      host: '127.0.0.1',
      servername: 'localhost',
      ca: ca.cert,
    });
    onClose(() => void socket.destroy());
    let text = '';
    socket.on('data', (piece) => (text += piece));
    socket.write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    await eventually(() => socket.readableEnded);
    expect(text).toContain('"x-forwarded-proto":"https"');
  });

  test.each<[object, string]>([
    [{ target: 'nonsense' }, 'option target nonsense: expected a URL'],
    [{ targett: 'http://x' }, 'option targett is unknown'],
    [{ agent: {} }, 'option agent is not supported'],
    [{ followRedirects: true }, 'option followRedirects is not supported'],
    [{ xfwd: 'yes' }, 'option xfwd is yes: expected a boolean'],
    [{ proxyTimeout: -1 }, 'option proxyTimeout is -1: expected at least 0'],
  ])('refuses %j', (options, message) => {
    expect(() => createProxyServer(options as ServerOptions)).toThrow(message);
  });

  test('accepts what changes nothing', () => {
    const options = { target: 'http://x', agent: false, followRedirects: false, preserveHeaderKeyCase: true } as const;
    expect(() => opened(options)).not.toThrow();
  });
});
