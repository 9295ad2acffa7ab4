import { CirqueError } from '@cirque/error';
import { LeakCheck, RawClient } from '@cirque/testing';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  HttpConnectionApp,
  type HttpServiceOptions,
  httpService,
  type PlainResponse,
  type ServeHttp,
  ServeHttpApp,
} from '../src/index.ts';
import { RunningServer } from './running-server.ts';

let leaks: LeakCheck;
const closers: (() => Promise<void>)[] = [];

beforeEach(() => {
  leaks = LeakCheck.start();
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  await leaks.assertClean();
});

interface Site {
  readonly running: RunningServer;
  readonly client: RawClient;
  connect(): Promise<RawClient>;
}

async function site(app: ServeHttp | ServeHttp['response'], options: HttpServiceOptions = {}): Promise<Site> {
  const service = httpService('http', app, options).addTcp('127.0.0.1:0');
  const running = await RunningServer.start([service]);
  closers.push(() => running.stopFast());
  const connect = async (): Promise<RawClient> => {
    const client = await RawClient.connect(service.endpoints[0] as never);
    closers.push(() => client.close());
    return client;
  };
  return { running, client: await connect(), connect };
}

const request = (line: string, ...fields: string[]): string =>
  `${[`${line} HTTP/1.1`, 'Host: a', ...fields].join('\r\n')}\r\n\r\n`;

/** The head without its Date, and the body when its length is known. */
async function answer(client: RawClient): Promise<{ head: string; body: string }> {
  const head = await client.waitFor('\r\n\r\n');
  const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0);
  const body = length === 0 ? '' : await client.waitFor(new RegExp(`^.{${length}}`, 's'));
  return { head: head.replace(/Date: [^\r]*\r\n/, ''), body };
}

describe('httpService', () => {
  test('httpService answers with a function', async () => {
    const { client } = await site(({ method, target, headers, clientAddress }) => ({
      status: 201,
      headers: { 'X-Seen': `${method} ${target} ${headers.get('x-a')} ${clientAddress}`, 'Set-Cookie': ['a=1', 'b=2'] },
      body: 'grüß\n',
    }));
    await client.send(request('GET /a?b', 'X-A: 1'));
    expect(await answer(client)).toEqual({
      head: 'HTTP/1.1 201 Created\r\nX-Seen: GET /a?b 1 127.0.0.1\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 7\r\n\r\n',
      body: Buffer.from('grüß\n').toString('latin1'),
    });
  });

  test('httpService keeps the connection and answers pipelined requests in order', async () => {
    const { client } = await site(async ({ target }) => {
      await new Promise((resolve) => setTimeout(resolve, target === '/1' ? 30 : 0));
      return { body: target };
    });
    await client.send(request('GET /1') + request('GET /2') + request('GET /3'));
    expect([(await answer(client)).body, (await answer(client)).body, (await answer(client)).body]).toEqual([
      '/1',
      '/2',
      '/3',
    ]);
  });

  test.each([
    ['Content-Length', 'Content-Length: 11', 'hello world'],
    ['chunks', 'Transfer-Encoding: chunked', '5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n'],
  ])('httpService collects a body with %s', async (_how, field, bytes) => {
    const { client } = await site(async ({ body }) => {
      await Promise.resolve();
      return { body: `${await body()}|${(await body()).length}` };
    });
    for (let round = 0; round < 2; round += 1) {
      await client.send(request('POST /', field));
      await client.send(bytes.slice(0, 3));
      await client.send(bytes.slice(3));
      expect((await answer(client)).body).toBe('hello world|11');
    }
  });

  test('httpService gives an empty body where there is none', async () => {
    const { client } = await site(async (message) => ({ body: `${(await message.body()).length}` }));
    await client.send(request('GET /'));
    expect((await answer(client)).body).toBe('0');
  });

  test('httpService tells a waiting client to continue, only when the body is wanted', async () => {
    const { client, connect } = await site(async (message) => ({
      body: message.target === '/no' ? 'no' : (await message.body()).toString(),
    }));
    await client.send(request('POST /', 'Expect: 100-continue', 'Content-Length: 2'));
    expect(await client.waitFor('\r\n\r\n')).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    await client.send('ok');
    expect((await answer(client)).body).toBe('ok');
    const other = await connect();
    await other.send(request('POST /no', 'Expect: 100-continue', 'Content-Length: 2'));
    const { head, body } = await answer(other);
    expect(head).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(head).toMatch(/Connection: close/i);
    expect(body).toBe('no');
  });

  test.each([
    ['Content-Length: 5', '12345'],
    ['Transfer-Encoding: chunked', '5\r\n12345\r\n0\r\n\r\n'],
  ])('httpService answers 413 to more than maxBodyBytes (%s)', async (field, bytes) => {
    const outcome = Promise.withResolvers<unknown>();
    const { client, running } = await site(
      (message) => {
        const body = message.body();
        body.then(outcome.resolve, outcome.resolve);
        return body.then(() => ({}));
      },
      { maxBodyBytes: 4 },
    );
    await client.send(request('POST /', field) + bytes);
    expect((await answer(client)).head).toMatch(/^HTTP\/1\.1 413 /);
    await client.waitForClose();
    expect(await outcome.promise).toMatchObject({ status: 413 });
    expect(running.logged('error', '')).toEqual([]);
  });

  test('httpService rejects the body when the client leaves', async () => {
    const outcome = Promise.withResolvers<unknown>();
    const { client, running } = await site(async (message) => {
      await message.body().catch(outcome.resolve);
      return { body: 'too late' };
    });
    await client.send(`${request('POST /', 'Content-Length: 5')}12`);
    client.reset();
    const error = await outcome.promise;
    expect(CirqueError.is(error) && error.source).toBe('Downstream');
    expect(running.logged('error', '')).toEqual([]);
  });

  test('httpService answers 400 to a body that is not framed right', async () => {
    const { client } = await site(async (message) => ({ body: await message.body() }));
    await client.send(`${request('POST /', 'Transfer-Encoding: chunked')}nonsense\r\n`);
    expect((await answer(client)).head).toMatch(/^HTTP\/1\.1 400 /);
    await client.waitForClose();
  });

  test('httpService closes after a response whose request body nobody read', async () => {
    const { client } = await site(() => ({ body: 'x' }));
    await client.send(`${request('POST /', 'Content-Length: 100000')}${'x'.repeat(10)}`);
    expect((await answer(client)).head).toMatch(/Connection: close/i);
    expect(await client.waitForClose()).toBe('end');
  });

  test('body() after the answer rejects', async () => {
    const outcome = Promise.withResolvers<unknown>();
    const { client } = await site((message) => {
      setImmediate(() => {
        message.body().then(outcome.resolve, outcome.resolve);
      });
      return {};
    });
    await client.send(request('GET /'));
    expect((await answer(client)).head).toMatch(/^HTTP\/1\.1 200 OK\r\nContent-Length: 0\r\n/);
    expect(String(await outcome.promise)).toContain('the request was answered already');
  });

  test('httpService answers HEAD with the length of a GET', async () => {
    const { client } = await site(({ target }) =>
      target === '/own' ? { headers: { 'Content-Length': '7' } } : { body: 'hello' },
    );
    await client.send(request('HEAD /') + request('HEAD /own') + request('GET /'));
    expect(await client.waitFor('\r\n\r\n')).toContain('Content-Length: 5\r\n');
    expect(await client.waitFor('\r\n\r\n')).toContain('Content-Length: 7\r\n');
    expect(await answer(client)).toMatchObject({ body: 'hello' });
  });

  test('httpService sends no body with 204 and 304', async () => {
    const { client } = await site(({ target }) => ({
      status: Number(target.slice(1)),
      headers: { ETag: '"a"' },
      body: 'never',
    }));
    await client.send(request('GET /204') + request('GET /304') + request('GET /200'));
    expect(await client.waitFor('\r\n\r\n')).toMatch(/^HTTP\/1\.1 204 .*ETag: "a"/s);
    expect(await client.waitFor('\r\n\r\n')).toMatch(/^HTTP\/1\.1 304 .*ETag: "a"/s);
    expect((await answer(client)).body).toBe('never');
  });

  test('httpService sends a large body, bytes unchanged', async () => {
    const bytes = Buffer.alloc(3_000_000, 'abcdefg');
    const { client } = await site(() => ({ body: new Uint8Array(bytes) }));
    await client.send(request('GET /', 'Connection: close'));
    await client.waitForClose(10_000);
    const { received } = client;
    expect(received.subarray(received.length - bytes.length).equals(bytes)).toBe(true);
  });

  test.each<[string, ServeHttp['response']]>([
    [
      'throws',
      () => {
        throw new Error('mine');
      },
    ],
    ['rejects', () => Promise.reject(new Error('mine'))],
    [
      'throws nothing',
      () => {
        throw undefined;
      },
    ],
    ['answers nothing', () => undefined as unknown as PlainResponse],
    ['answers nothing, later', async () => undefined as unknown as PlainResponse],
    ['sets an informational status', () => ({ status: 100 })],
    ['sets a status that is none', () => ({ status: 200.5 })],
    ['sends a header that is none', () => ({ headers: { 'X-A': 'a\r\nb: c' } })],
    ['sends a body that is none', () => ({ body: 5 as never })],
  ])('httpService answers 500 and logs when the responder %s', async (_what, response) => {
    const { client, running } = await site(response);
    await client.send(request('GET /broken'));
    expect((await answer(client)).head).toBe(
      'HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\nCache-Control: private, no-store\r\nConnection: close\r\n\r\n',
    );
    await client.waitForClose();
    expect(running.logged('error', 'the responder failed').map(({ facts }) => facts)).toMatchObject([
      { service: 'http', method: 'GET', target: '/broken' },
    ]);
  });

  test('httpService answers with the status of an HTTP error, unlogged below 500', async () => {
    const { client, connect, running } = await site(({ target }) => {
      throw CirqueError.http(Number(target.slice(1)), 'as asked');
    });
    await client.send(request('GET /404'));
    expect((await answer(client)).head).toMatch(/^HTTP\/1\.1 404 Not Found\r\n/);
    expect(running.logged('error', '')).toEqual([]);
    const other = await connect();
    await other.send(request('GET /503'));
    expect((await answer(other)).head).toMatch(/^HTTP\/1\.1 503 /);
    expect(running.logged('error', '')).toHaveLength(1);
  });

  test('httpService logs a request that cannot be parsed', async () => {
    const { client, running } = await site(() => ({}));
    await client.send('nonsense\r\n\r\n');
    expect((await answer(client)).head).toMatch(/^HTTP\/1\.1 400 /);
    expect(running.logged('warn', 'a request could not be parsed')[0]?.facts).toMatchObject({
      status: 400,
      client: '127.0.0.1',
    });
  });

  test('httpService finishes the request under way when the server stops, and closes idle connections', async () => {
    const release = Promise.withResolvers<PlainResponse>();
    const asked = Promise.withResolvers<void>();
    const { client, connect, running } = await site(() => {
      asked.resolve();
      return release.promise;
    });
    const idle = await connect();
    await client.send(request('GET /'));
    await asked.promise;
    const stopped = running.stopGracefully();
    expect(await idle.waitForClose()).toBe('end');
    release.resolve({ body: 'done' });
    const { head, body } = await answer(client);
    expect(head).toMatch(/Connection: close/i);
    expect(body).toBe('done');
    await stopped;
  });

  test('httpService passes server options and limits on', async () => {
    const { client, connect } = await site(() => ({}), {
      serverOptions: { keepaliveRequestLimit: 1 },
      maxConnections: 1,
    });
    await client.send(request('GET /'));
    expect((await answer(client)).head).toMatch(/Connection: close/i);
    const refused = await connect();
    await refused.waitForClose();
    expect(refused.text).toMatch(/^HTTP\/1\.1 503 .*Connection: close\r\n/s);
  });

  test.each([
    [undefined, {}, /a responder must be a function or have a response\(\) function/],
    [{}, {}, /a responder must be/],
    [() => ({}), { maxBodyBytes: -1 }, /maxBodyBytes must be a whole number of at least 0, got -1/],
    [() => ({}), { serverOptions: { idleTimeout: 1 } }, /idleTimeout is unknown/],
    [() => ({}), { maxConnections: 1.5 }, /maxConnections must be/],
  ])('httpService refuses %j with %j', (app, options, message) => {
    expect(() => httpService('x', app as never, options as never)).toThrow(message);
  });
});

describe('HttpConnectionApp', () => {
  test('HttpConnectionApp refuses what is no application', () => {
    expect(() => new HttpConnectionApp({} as never)).toThrow('an HTTP application needs a processNewHttp() function');
  });

  test('HttpConnectionApp passes setUp and cleanup on', async () => {
    const app = { processNewHttp: vi.fn(), setUp: vi.fn(), httpCleanup: vi.fn() };
    const connections = new HttpConnectionApp(app);
    const context = { logger: undefined, configuration: undefined } as never;
    connections.setUp(context);
    connections.cleanup();
    expect(app.setUp).toHaveBeenCalledWith(context);
    expect(app.httpCleanup).toHaveBeenCalledTimes(1);
    expect(new HttpConnectionApp(new ServeHttpApp(() => ({}))).cleanup()).toBeUndefined();
  });
});
