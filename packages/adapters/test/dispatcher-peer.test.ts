import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { connect as connectSocket, createServer as createSocketServer, type Socket } from 'node:net';
import type { CirqueError } from '@cirque/error';
import { defineProxy, HttpProxy, type ProxyPhases } from '@cirque/proxy';
import { makeCa } from '@cirque/testing';
import { Agent, type Dispatcher, interceptors, MockAgent, Pool, ProxyAgent } from 'undici';
import { afterEach, describe, expect, test } from 'vitest';
import { toNodeHandler, toUpgradeHandler } from '../src/index.ts';
import { DispatcherPeer } from '../src/undici.ts';
import { ask, closeAll, eventually, Flood, listen, onClose, rawSocket, started } from './node-peers.ts';

afterEach(closeAll);

function closing<D extends Dispatcher>(dispatcher: D): D {
  onClose(() => (dispatcher instanceof MockAgent ? dispatcher.close() : dispatcher.destroy()));
  return dispatcher;
}

interface Site {
  readonly port: number;
  readonly proxy: HttpProxy;
  readonly errors: CirqueError[];
}

/** A server that proxies to the origin through the dispatcher. */
async function through(
  dispatcher: Dispatcher,
  origin: string,
  more: Partial<ProxyPhases<undefined>> = {},
  options: ConstructorParameters<typeof DispatcherPeer>[2] = {},
): Promise<Site> {
  const errors: CirqueError[] = [];
  const peer = new DispatcherPeer(origin, dispatcher, options);
  const logging = (_session: unknown, error: CirqueError | undefined): void => {
    if (error !== undefined) errors.push(error);
  };
  const proxy = new HttpProxy(defineProxy({ upstreamPeer: () => peer, logging, ...more }));
  onClose(() => proxy.httpCleanup());
  const upgrade = toUpgradeHandler(proxy);
  const port = await listen(toNodeHandler(proxy), (server) => server.on('upgrade', upgrade));
  return { port, proxy, errors };
}

const originOf = async (listener: RequestListener): Promise<string> => `http://127.0.0.1:${await listen(listener)}`;

function echo(request: IncomingMessage, response: ServerResponse): void {
  response.setHeader('X-Seen', `${request.method} ${request.url} ${request.headers.host}`);
  response.setHeader('X-Length', request.headers['content-length'] ?? request.headers['transfer-encoding'] ?? 'none');
  response.setHeader('X-Twice', String(request.headers['x-twice']));
  response.setHeader('Set-Cookie', ['a=1', 'b=2']);
  request.pipe(response);
}

describe('DispatcherPeer with an Agent', () => {
  test('requests and responses pass', async () => {
    const { port } = await through(closing(new Agent()), await originOf(echo));
    const headers = { Host: 'a.example', 'X-Twice': ['1', '2'] };
    const answer = await ask(port, { method: 'PUT', path: '/p?q', headers, body: 'hello' });
    expect(answer).toMatchObject({ status: 200, body: 'hello' });
    expect(answer.headers).toMatchObject({ 'x-seen': 'PUT /p?q a.example', 'x-length': '5', 'x-twice': '1, 2' });
    expect(answer.headers['set-cookie']).toEqual(['a=1', 'b=2']);
    const chunked = await ask(port, { method: 'POST', body: 'x', headers: { 'Transfer-Encoding': 'chunked' } });
    expect(chunked.body).toBe('x');
  });

  test('megabytes pass both ways', async () => {
    const { port } = await through(closing(new Agent()), await originOf(echo));
    const body = Buffer.alloc(5_000_000, 'abc');
    const answer = await ask(port, { method: 'POST', body });
    expect(Buffer.from(answer.body).equals(body)).toBe(true);
  });

  test('HEAD, 204 and 304 have no body', async () => {
    const origin = await originOf((request, response) => {
      response
        .writeHead(Number(request.url?.slice(1)), request.method === 'HEAD' ? { 'Content-Length': '7' } : {})
        .end();
    });
    const { port } = await through(closing(new Agent()), origin);
    expect(await ask(port, { method: 'HEAD', path: '/200' })).toMatchObject({ status: 200, body: '' });
    expect((await ask(port, { method: 'HEAD', path: '/200' })).headers['content-length']).toBe('7');
    expect(await ask(port, { path: '/204' })).toMatchObject({ status: 204, body: '' });
    expect(await ask(port, { path: '/304' })).toMatchObject({ status: 304, body: '' });
  });

  test('interim responses and trailers pass', async () => {
    const origin = await originOf((_request, response) => {
      response.writeEarlyHints({ link: '</a.css>; rel=preload' });
      response.setHeader('Trailer', 'X-Sum');
      response.write('body');
      response.addTrailers({ 'X-Sum': '7' });
      response.end();
    });
    const { port } = await through(closing(new Agent()), origin);
    const answer = await ask(port, { headers: { TE: 'trailers', Connection: 'TE' } });
    expect(answer).toMatchObject({ body: 'body', interim: [103], trailers: { 'x-sum': '7' } });
  });

  test('a client that waits for 100 Continue does not wait long', async () => {
    const { proxy } = await through(closing(new Agent()), await originOf(echo));
    const handler = toNodeHandler(proxy);
    const port = await listen(handler, (server) => server.on('checkContinue', handler));
    const question = { method: 'POST', body: 'x', headers: { Expect: '100-continue', 'Content-Length': '1' } };
    const begun = performance.now();
    expect(await ask(port, { ...question, expectContinue: true })).toMatchObject({ interim: [100], body: 'x' });
    expect(performance.now() - begun).toBeLessThan(900);
  });

  test('a slow client stops the upstream', async () => {
    const flood = new Flood();
    const { port } = await through(closing(new Agent()), await originOf(flood.respond));
    const client = await rawSocket(port);
    client.pause();
    client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    expect(await flood.stalled()).toBeLessThan(50_000_000);
    client.destroy();
  });

  test('a client that leaves cancels the request, before and in the response', async () => {
    let gone = 0;
    let came = 0;
    const origin = await originOf((request, response) => {
      came += 1;
      response.on('close', () => {
        if (!response.writableFinished) gone += 1;
      });
      if (request.url === '/streaming') response.write('first');
    });
    const { port, proxy } = await through(closing(new Agent()), origin);
    for (const path of ['/silent', '/streaming']) {
      const client = await rawSocket(port);
      const before = came;
      client.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
      await eventually(() => came === before + 1);
      if (path === '/streaming') await client.until('first');
      client.destroy();
      await eventually(() => gone === before + 1);
    }
    await eventually(() => proxy.stats().active === 0);
  });

  test('an early answer ends the upload', async () => {
    const { port } = await through(
      closing(new Agent()),
      await originOf((_request, response) => void response.end('no')),
    );
    const client = await rawSocket(port);
    client.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n123');
    await client.until('no');
  });
});

describe('DispatcherPeer: failures', () => {
  test('nobody listens: ConnectRefused, 502', async () => {
    const { port, errors } = await through(closing(new Agent()), 'http://127.0.0.1:1');
    expect((await ask(port)).status).toBe(502);
    expect(errors[0]).toMatchObject({ type: 'ConnectRefused', source: 'Upstream', retry: false });
  });

  test('a connection that cannot be established in time: ConnectTimedout, 504', async () => {
    const agent = closing(
      new Agent({
        connect: (_options, callback) => {
          setTimeout(() => {
            const error = Object.assign(new Error('Connect Timeout Error'), { code: 'UND_ERR_CONNECT_TIMEOUT' });
            callback(error, null);
          }, 5);
        },
      }),
    );
    const { port, errors } = await through(agent, 'http://127.0.0.1:1');
    expect((await ask(port)).status).toBe(504);
    expect(errors[0]).toMatchObject({ type: 'ConnectTimedout' });
  });

  test('no answer in time: ReadTimedout, 504', async () => {
    const { port, errors } = await through(closing(new Agent()), await originOf(() => {}), {}, { readTimeoutMs: 50 });
    expect((await ask(port)).status).toBe(504);
    expect(errors[0]).toMatchObject({ type: 'ReadTimedout' });
  });

  test('a connection that dies instead of answering: ConnectionClosed, and no second attempt', async () => {
    let attempts = 0;
    const origin = await originOf((request) => {
      attempts += 1;
      request.socket.destroy();
    });
    const { port, errors, proxy } = await through(closing(new Agent()), origin);
    expect((await ask(port, { method: 'POST', body: 'x' })).status).toBe(502);
    expect(errors[0]).toMatchObject({ type: 'ConnectionClosed', source: 'Upstream', retry: false });
    expect([attempts, proxy.stats().retries]).toEqual([1, 0]);
  });

  test('a response that is cut is cut for the client', async () => {
    const origin = await originOf((_request, response) => {
      response.writeHead(200, { 'Content-Length': '10' });
      response.write('part');
      setTimeout(() => response.destroy(), 20);
    });
    const { port, errors } = await through(closing(new Agent()), origin);
    expect(await ask(port)).toMatchObject({ status: 200, body: 'part', complete: false });
    expect(errors[0]).toMatchObject({ type: 'ConnectionClosed' });
  });

  test('what is no HTTP: H1Error, 502', async () => {
    const server = createSocketServer((socket) => void socket.end('nonsense\r\n\r\n'));
    const { port, errors } = await through(closing(new Agent()), `http://127.0.0.1:${await started(server as never)}`);
    expect((await ask(port)).status).toBe(502);
    expect(errors[0]).toMatchObject({ type: 'H1Error' });
  });

  test('a certificate of nobody: InvalidCert', async () => {
    const server = createHttpsServer(makeCa('unknown').issue({ names: ['localhost'] }), echo);
    const origin = `https://localhost:${await started(server as never)}`;
    const { port, errors } = await through(closing(new Agent()), origin);
    expect((await ask(port, { headers: { Host: 'localhost' } })).status).toBe(502);
    expect(errors[0]).toMatchObject({ type: 'InvalidCert' });
  });

  test('a dispatcher that is closed: InternalError, 500', async () => {
    const agent = new Agent();
    await agent.close();
    const { port, errors } = await through(agent, 'http://127.0.0.1:1');
    expect((await ask(port)).status).toBe(500);
    expect(errors[0]).toMatchObject({ type: 'InternalError', source: 'Internal' });
  });

  test('errorWhileProxy can send the request to another peer', async () => {
    const good = new DispatcherPeer(await originOf(echo), closing(new Agent()));
    const bad = new DispatcherPeer('http://127.0.0.1:1', closing(new Agent()));
    const { port } = await through(closing(new Agent()), 'http://127.0.0.1:1', {
      upstreamPeer: (session) => (session.retries === 0 ? bad : good),
      errorWhileProxy: (_peer, _session, error) => error.setRetry(true),
    });
    expect((await ask(port, { method: 'POST', body: 'again' })).body).toBe('again');
  });
});

describe('DispatcherPeer with other dispatchers', () => {
  test('MockAgent, whose answers come at once', async () => {
    const mock = closing(new MockAgent());
    mock.disableNetConnect();
    const pool = mock.get('http://origin.example');
    pool
      .intercept({ path: '/a', method: 'POST' })
      .reply(201, 'out', { headers: { 'X-Mock': '1' }, trailers: { t: '1' } });
    pool.intercept({ path: '/b' }).replyWithError(new Error('mocked'));
    const { port, errors } = await through(mock, 'http://origin.example');
    const answer = await ask(port, { method: 'POST', path: '/a', body: 'in' });
    expect(answer).toMatchObject({ status: 201, body: 'out', headers: { 'x-mock': '1' } });
    expect((await ask(port, { path: '/b' })).status).toBe(502);
    expect((await ask(port, { path: '/nowhere' })).status).toBe(502);
    expect(errors.map(({ type }) => type)).toEqual(['ConnectError', 'ConnectError']);
  });

  test('a response that comes while the driver is paused waits for it', async () => {
    const mock = closing(new MockAgent());
    mock.disableNetConnect();
    mock.get('http://origin.example').intercept({ path: '/' }).reply(200, 'x'.repeat(200_000));
    const later = async (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));
    const { port } = await through(mock, 'http://origin.example', {
      upstreamResponseFilter: later,
      responseFilter: later,
    });
    expect((await ask(port)).body.length).toBe(200_000);
  });

  test('ProxyAgent, through a tunnel of its own', async () => {
    const asked: string[] = [];
    const forward = await listen(undefined, (server) =>
      server.on('connect', (request: IncomingMessage, socket: Socket, head: Buffer) => {
        asked.push(String(request.url));
        if (request.headers['proxy-authorization'] === undefined) {
          socket.end('HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n');
          return;
        }
        const [host, port] = String(request.url).split(':');
        const upstream = connectSocket(Number(port), host, () => {
          socket.write('HTTP/1.1 200 OK\r\n\r\n');
          upstream.write(head);
          socket.pipe(upstream).pipe(socket);
        });
        upstream.on('error', () => socket.destroy());
        socket.on('error', () => upstream.destroy());
      }),
    );
    const origin = await originOf(echo);
    const uri = `http://127.0.0.1:${forward}`;
    const good = closing(new ProxyAgent({ uri, token: 'Basic eDp5', proxyTunnel: true }));
    const { port } = await through(good, origin);
    expect((await ask(port, { method: 'POST', body: 'tunnelled' })).body).toBe('tunnelled');
    expect(asked).toEqual([new URL(origin).host]);
    const refused = await through(closing(new ProxyAgent({ uri, proxyTunnel: true })), origin);
    expect((await ask(refused.port)).status).toBe(502);
    expect(refused.errors[0]).toMatchObject({ type: 'ConnectProxyFailure' });
  });

  test('interceptors and pools', async () => {
    const origin = await originOf((request, response) => {
      if (request.url === '/') response.writeHead(302, { Location: '/there' }).end();
      else response.end(`at ${request.url}`);
    });
    const dispatcher = closing(new Pool(origin)).compose(interceptors.redirect({ maxRedirections: 1 }));
    const { port } = await through(dispatcher, origin);
    expect((await ask(port)).body).toBe('at /there');
  });
});

describe('DispatcherPeer: upgrades', () => {
  const upgradable = (accept: (socket: Socket, head: Buffer) => void): Promise<number> =>
    listen(
      (_request, response) => void response.writeHead(426, { Upgrade: 'chat' }).end('upgrade'),
      (server) => server.on('upgrade', (_request, socket: Socket, head: Buffer) => accept(socket, head)),
    );
  const HELLO = 'GET /chat HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
  const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';

  test('bytes pass both ways, and each side ends on its own', async () => {
    const origin = await upgradable((socket) => {
      socket.write(`${SWITCH}welcome\n`);
      socket.on('data', (chunk) => socket.write(`echo ${chunk}`));
      socket.on('end', () => socket.end('bye\n'));
    });
    const { port, proxy } = await through(closing(new Agent()), `http://127.0.0.1:${origin}`);
    const client = await rawSocket(port);
    client.write(HELLO);
    await client.until('welcome\n');
    expect(client.text).toMatch(/^HTTP\/1\.1 101 /);
    client.write('hi\n');
    await client.until('echo hi\n');
    client.end();
    await client.until('bye\n');
    await eventually(() => client.readableEnded && proxy.stats().active === 0);
  });

  test('an upgrade that is refused is an ordinary response', async () => {
    const origin = await listen((_request, response) => void response.writeHead(403).end('not you'));
    const { port } = await through(closing(new Agent()), `http://127.0.0.1:${origin}`);
    const client = await rawSocket(port);
    client.write(HELLO);
    await client.until('not you');
    expect(client.text).toMatch(/^HTTP\/1\.1 403 /);
  });

  test('whoever vanishes takes the other side with him', async () => {
    const sockets: Socket[] = [];
    const origin = await upgradable((socket) => {
      sockets.push(socket);
      socket.on('error', () => {});
      socket.write(SWITCH);
    });
    const { port, proxy } = await through(closing(new Agent()), `http://127.0.0.1:${origin}`);
    const first = await rawSocket(port);
    first.write(HELLO);
    await first.until('101');
    first.resetAndDestroy();
    await eventually(() => sockets[0]?.destroyed === true || sockets[0]?.readableEnded === true);
    await eventually(() => proxy.stats().active === 0);
    const second = await rawSocket(port);
    second.on('error', () => {});
    second.write(HELLO);
    await second.until('101');
    sockets[1]?.resetAndDestroy();
    await eventually(() => second.destroyed || second.readableEnded);
    await eventually(() => proxy.stats().active === 0);
  });
});

describe('DispatcherPeer: construction', () => {
  const agent = new Agent();

  test('peers of one dispatcher and origin are the same upstream', () => {
    const peer = new DispatcherPeer('https://[::1]', agent);
    expect(peer.address).toEqual({ host: '::1', port: 443 });
    expect(String(peer)).toBe('https://[::1]');
    expect(new DispatcherPeer('https://[::1]', agent).reuseKey).toBe(peer.reuseKey);
    expect(new DispatcherPeer('https://[::1]', new Agent()).reuseKey).not.toBe(peer.reuseKey);
  });

  test.each([
    ['ftp://x', 'expected http://host'],
    ['http://x/path', 'expected http://host'],
    ['nonsense', 'expected http://host'],
  ])('origin %s is refused', (origin, message) => {
    expect(() => new DispatcherPeer(origin, agent)).toThrow(message);
  });

  test('other options and what is no dispatcher are refused', () => {
    expect(() => new DispatcherPeer('http://x', {} as never)).toThrow('expected a Dispatcher');
    const options = { connectionTimeoutMs: 1 } as never;
    expect(() => new DispatcherPeer('http://x', agent, options)).toThrow('connectionTimeoutMs means nothing');
    expect(() => new DispatcherPeer('http://x', agent, { readTimeoutMs: -1 })).toThrow('readTimeoutMs');
  });
});
