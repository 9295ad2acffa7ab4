import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createServer } from 'node:net';
import { FakeClock, LeakCheck, makeCa } from '@cirque/testing';
import { TimerWheel } from '@cirque/timeout';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Discovered, HttpDiscovery, type HttpDiscoveryOptions } from '../src/index.ts';
import { closeAll } from './cleanup.ts';
import { Endpoint, until } from './servers.ts';

let leaks: LeakCheck;
beforeEach(() => {
  leaks = LeakCheck.start();
});
afterEach(async () => {
  await closeAll();
  await leaks.assertClean();
});

const addresses = ({ backends }: Discovered): string[] => Array.from(backends, ({ address }) => address);
const chainOf = (result: Promise<unknown>): Promise<string> => result.then(() => 'no failure', String);
const serve = (listener: RequestListener): Promise<Endpoint> => Endpoint.http(listener).start();
const urlOf = (endpoint: Endpoint, path = '/backends'): string => `http://127.0.0.1:${endpoint.port}${path}`;

describe('HttpDiscovery', () => {
  it('HttpDiscovery takes addresses and objects', async () => {
    let seen: IncomingMessage | undefined;
    const endpoint = await serve((request, response) => {
      seen = request;
      response.end(JSON.stringify(['10.0.0.1:80', { address: '10.0.0.2:80', weight: 3, priority: 1, enabled: false }]));
    });
    const headers = { Authorization: 'Bearer token' };
    const found = await new HttpDiscovery({ url: urlOf(endpoint, '/v1/backends?zone=a'), headers }).discover();
    expect(Array.from(found.backends, ({ address, weight, priority }) => [address, weight, priority])).toEqual([
      ['10.0.0.1:80', 1, 0],
      ['10.0.0.2:80', 3, 1],
    ]);
    expect(found.enabled).toEqual(new Map([['10.0.0.2:80', false]]));
    expect(seen).toMatchObject({ method: 'GET', url: '/v1/backends?zone=a' });
    expect(seen?.headers).toEqual({
      host: `127.0.0.1:${endpoint.port}`,
      accept: 'application/json',
      authorization: 'Bearer token',
      connection: 'close',
    });
    await until(() => endpoint.open === 0);
  });

  it('HttpDiscovery asks with the tag of what it has, and takes 304 for the same', async () => {
    const seen: (string | undefined)[] = [];
    let [tag, list] = ['"1"', ['10.0.0.1:80']];
    const endpoint = await serve((request, response) => {
      seen.push(request.headers['if-none-match']);
      response.setHeader('ETag', tag);
      if (request.headers['if-none-match'] === tag) response.writeHead(304).end();
      else response.end(JSON.stringify(list));
    });
    const discovery = new HttpDiscovery({ url: urlOf(endpoint) });
    const first = await discovery.discover();
    expect(await discovery.discover()).toBe(first);
    [tag, list] = ['W/"2"', ['10.0.0.2:80']];
    expect(addresses(await discovery.discover())).toEqual(['10.0.0.2:80']);
    expect(addresses(await discovery.discover())).toEqual(['10.0.0.2:80']);
    expect(seen).toEqual([undefined, '"1"', '"1"', 'W/"2"']);
  });

  it('HttpDiscovery keeps the tag of the last list that it understood', async () => {
    const answers = ['["10.0.0.1:80"]', 'half of a', '["10.0.0.2:80"]'];
    const seen: (string | undefined)[] = [];
    const endpoint = await serve((request, response) => {
      seen.push(request.headers['if-none-match']);
      response.setHeader('ETag', `"${seen.length}"`);
      response.end(answers[seen.length - 1]);
    });
    const discovery = new HttpDiscovery({ url: urlOf(endpoint) });
    await discovery.discover();
    expect(await chainOf(discovery.discover())).toContain(`${urlOf(endpoint)} is not JSON, or half-written`);
    expect(addresses(await discovery.discover())).toEqual(['10.0.0.2:80']);
    expect(seen).toEqual([undefined, '"1"', '"1"']);
  });

  it('HttpDiscovery asks without a tag where the server gives none', async () => {
    const seen: (string | undefined)[] = [];
    const endpoint = await serve((request, response) => {
      seen.push(request.headers['if-none-match']);
      response.end('["10.0.0.1:80"]');
    });
    const discovery = new HttpDiscovery({ url: urlOf(endpoint) });
    await discovery.discover();
    await discovery.discover();
    expect(seen).toEqual([undefined, undefined]);
  });

  it.each<[string, (response: ServerResponse) => void, string]>([
    ['an error', (response) => response.writeHead(503).end('[]'), 'expected status 200, got 503'],
    ['a redirect', (response) => response.writeHead(302, { Location: '/' }).end(), 'expected status 200, got 302'],
    ['a 304 that nobody asked for', (response) => response.writeHead(304).end(), 'expected status 200, got 304'],
    ['no list', (response) => response.end('{"a":1}'), 'must be a JSON array of backends, got {"a":1}'],
    ['a wrong entry', (response) => response.end('["a:1", {"address":"b"}]'), '[1]: backend address "b" is not valid'],
    ['an empty list', (response) => response.end('[]'), 'has no backends; allowEmpty: true'],
    ['too much', (response) => response.end(' '.repeat(2_000)), 'the list has more than 1000 bytes'],
    [
      'a cut body',
      (response) => {
        response.writeHead(200, { 'Content-Length': 100 });
        response.write('["10.0.0.1:80"]', () => response.destroy());
      },
      'Upstream',
    ],
  ])('HttpDiscovery takes %s for an error', async (_, answer, reason) => {
    const endpoint = await serve((_request, response) => answer(response));
    const result = new HttpDiscovery({ url: urlOf(endpoint), maxBodyBytes: 1_000 }).discover();
    expect(await chainOf(result)).toContain(reason);
    await until(() => endpoint.open === 0);
  });

  it('HttpDiscovery takes an empty list when that is allowed', async () => {
    const endpoint = await serve((_, response) => response.end('[]'));
    expect(addresses(await new HttpDiscovery({ url: urlOf(endpoint), allowEmpty: true }).discover())).toEqual([]);
  });

  it('HttpDiscovery fails where nobody listens', async () => {
    const endpoint = await Endpoint.tcp().start();
    await endpoint.stop();
    const result = new HttpDiscovery({ url: urlOf(endpoint) }).discover();
    await expect(result).rejects.toMatchObject({ type: 'ConnectRefused' });
  });

  it('HttpDiscovery looks at the certificate', async () => {
    const authority = makeCa('test authority');
    const server = createHttpsServer(authority.issue({ names: ['lists.example'] }), (_, response) =>
      response.end('["10.0.0.1:80"]'),
    );
    server.on('tlsClientError', () => undefined);
    const endpoint = await new Endpoint(server).start();
    const url = urlOf(endpoint).replace('http:', 'https:');
    const options = { url, ca: authority.cert };
    await expect(new HttpDiscovery(options).discover()).rejects.toMatchObject({ type: 'InvalidCert' });
    await expect(new HttpDiscovery({ url }).discover()).rejects.toMatchObject({ type: 'InvalidCert' });
    expect(addresses(await new HttpDiscovery({ ...options, sni: 'lists.example' }).discover())).toEqual([
      '10.0.0.1:80',
    ]);
    expect(addresses(await new HttpDiscovery({ url, verifyCert: false }).discover())).toEqual(['10.0.0.1:80']);
  });

  it('HttpDiscovery gives up when nothing comes for readTimeoutMs', async () => {
    const clock = new FakeClock();
    const wheel = new TimerWheel({ clock });
    let asked = false;
    const server = createServer((socket) => {
      socket.once('data', () => {
        asked = true;
      });
    });
    const endpoint = await new Endpoint(server).start();
    const discovery = new HttpDiscovery({ url: urlOf(endpoint), readTimeoutMs: 300, time: { clock, wheel } });
    const failed = expect(discovery.discover()).rejects.toMatchObject({ type: 'ReadTimedout' });
    await until(() => asked);
    clock.advance(340);
    wheel.advance();
    await failed;
    expect(wheel.size).toBe(0);
    await until(() => endpoint.open === 0);
  });

  it('HttpDiscovery ends at once with the signal', async () => {
    let asked = false;
    const endpoint = await serve(() => {
      asked = true;
    });
    const controller = new AbortController();
    const failed = expect(new HttpDiscovery({ url: urlOf(endpoint) }).discover(controller.signal)).rejects.toThrow();
    await until(() => asked);
    controller.abort(new Error('shutdown'));
    await failed;
    await until(() => endpoint.open === 0);
  });

  it('HttpDiscovery knows the port and the host of its URL', () => {
    expect(new HttpDiscovery({ url: new URL('https://lists.example/a') }).url).toBe('https://lists.example/a');
  });

  it.each<[HttpDiscoveryOptions, RegExp]>([
    [{ url: 'lists.example/a' }, /^url must begin with http:\/\/ or https:\/\/, got "lists\.example\/a"$/],
    [{ url: 'file:///etc/passwd' }, /^url must begin with http/],
    [{ url: 'http://user:secret@a.example/' }, /^url must not have a user name or password/],
    [{ url: 'http://a.example/', headers: { 'x y': '1' } }, /^headers: "x y": "1" is not a valid header field$/],
    [{ url: 'http://a.example/', headers: { host: 'b' } }, /^headers must not have a Host field/],
    [{ url: 'http://a.example/', ca: 'x' }, /^peer option ca/],
    [{ url: 'http://a.example/', maxBodyBytes: 0 }, /^maxBodyBytes must be an integer from 1/],
    [{ url: 'http://a.example/', readTimeoutMs: 0 }, /^readTimeoutMs must be/],
    [{ url: 'http://a.example/', connectionTimeoutMs: 0 }, /^connectionTimeoutMs must be/],
    [{ url: 'http://a.example/', timeoutMs: 0 }, /^timeoutMs must be/],
  ])('HttpDiscovery refuses %j', (options, message) => {
    expect(() => new HttpDiscovery(options)).toThrow(message);
  });
});
