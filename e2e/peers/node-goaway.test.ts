/**
 * How connections of HTTP/2 end in order, on either side: GOAWAY, REFUSED_STREAM, HTTP_1_1_REQUIRED, limits, shutdown.
 */
import { once } from 'node:events';
import {
  connect,
  constants,
  createSecureServer,
  createServer,
  type Http2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import { LeakCheck, makeCa } from '@cirque/testing';
import { Agent, fetch, type RequestInit } from 'undici';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ORIGIN_NAME } from '../src/four-origins.ts';
import { Gateway } from '../src/gateway.ts';
import { Listening } from '../src/listening.ts';

const leaks = LeakCheck.start();
const ca = makeCa('Test authority');

/** Connections on which requests have come, and the paths of all requests. */
const sessions: (Http2Session | undefined)[] = [];
let paths: string[] = [];
const seen = (path: string): number => paths.filter((one) => one === path).length;

/** What the origin does with a path; the others get the number of their connection. */
const answers: Readonly<Record<string, (stream: ServerHttp2Stream) => void>> = {
  '/last': (stream) => {
    stream.session?.close();
    stream.respond({ ':status': 200 });
    setTimeout(() => stream.end('the last'), 50);
  },
  '/not-processed': (stream) => {
    if (seen('/not-processed') > 1) return answer(stream);
    // Node takes 0 for the default: the connection has had another request before.
    stream.session?.goaway(constants.NGHTTP2_NO_ERROR, 1);
  },
  '/refused': (stream) => {
    if (seen('/refused') > 1) answer(stream);
    else stream.close(constants.NGHTTP2_REFUSED_STREAM);
  },
  '/always-refused': (stream) => stream.close(constants.NGHTTP2_REFUSED_STREAM),
  '/slow': (stream) => {
    stream.respond({ ':status': 200 });
    stream.write('slow ');
    setTimeout(() => stream.end('but whole'), 300);
  },
};

function answer(stream: ServerHttp2Stream): void {
  stream.respond({ ':status': 200 });
  stream.end(`connection ${sessions.indexOf(stream.session)}`);
}

function serve(stream: ServerHttp2Stream, headers: { readonly ':path'?: string }): void {
  const path = headers[':path'] ?? '';
  if (!sessions.includes(stream.session)) sessions.push(stream.session);
  paths.push(path);
  stream.on('error', () => undefined);
  stream.resume();
  (answers[path] ?? answer)(stream);
}

const clients = new Agent();
let origin: Listening;
let narrow: Listening;
let both: Listening;
let gateway: Gateway;

async function get(path: string, upstream: string = 'h2', init: RequestInit = {}): Promise<string> {
  const headers = { 'x-upstream': upstream };
  const response = await fetch(`http://127.0.0.1:${gateway.port}${path}`, { dispatcher: clients, headers, ...init });
  return `${response.status} ${await response.text()}`;
}

beforeAll(async () => {
  origin = await Listening.on(createServer().on('stream', serve));
  narrow = await Listening.on(createServer({ settings: { maxConcurrentStreams: 5 } }).on('stream', serve));
  const certificate = ca.issue({ names: [ORIGIN_NAME] });
  const dual = createSecureServer({ ...certificate, allowHTTP1: true });
  dual.on('request', (request, response) => {
    const { httpVersion, url } = request;
    paths.push(`${httpVersion} ${url}`);
    if (httpVersion === '2.0' && url === '/h1-only') request.stream.close(constants.NGHTTP2_HTTP_1_1_REQUIRED);
    else response.end(httpVersion);
  });
  both = await Listening.on(dual);
  gateway = await Gateway.start({
    upstreams: {
      h2: { address: origin.address, options: { alpn: 'h2' } },
      narrow: { address: narrow.address, options: { alpn: 'h2' } },
      both: { address: both.address, options: { alpn: 'h2h1', tls: true, sni: ORIGIN_NAME, ca: ca.cert } },
    },
  });
});
afterAll(async () => {
  await clients.close();
  for (const server of [origin, narrow, both]) await server?.close();
  await gateway?.stop();
  await leaks.assertClean();
});

describe('an upstream', () => {
  it('that says GOAWAY answers what it has begun; the next request goes over another connection', async () => {
    const before = await get('/which');
    expect(await get('/last')).toBe('200 the last');
    const after = await get('/which');
    expect(after).toMatch(/^200 connection \d+$/);
    expect(after).not.toBe(before);
    await vi.waitFor(() => expect(origin.connections).toBe(1));
  });

  it.each(['GET', 'POST'])('that did not process a request by its GOAWAY: %s is sent again', async (method) => {
    paths = [];
    await get('/which');
    const init = method === 'POST' ? { method, body: 'again', headers: { 'x-upstream': 'h2' } } : {};
    expect(await get('/not-processed', 'h2', init)).toMatch(/^200 connection/);
    expect(seen('/not-processed')).toBe(2);
  });

  it.each(['GET', 'POST'])('that refuses a stream: %s is sent again', async (method) => {
    paths = [];
    const init = method === 'POST' ? { method, body: 'again', headers: { 'x-upstream': 'h2' } } : {};
    expect(await get('/refused', 'h2', init)).toMatch(/^200 connection/);
    expect(seen('/refused')).toBe(2);
  });

  it('that refuses for ever: the attempts have an end', async () => {
    paths = [];
    expect(await get('/always-refused')).toMatch(/^502 /);
    expect(seen('/always-refused')).toBeLessThanOrEqual(17);
  });

  it('that wants HTTP/1.1 for something gets it, and is remembered', async () => {
    paths = [];
    expect(await get('/any', 'both')).toBe('200 2.0');
    expect(await get('/h1-only', 'both')).toBe('200 1.1');
    expect(await get('/any', 'both')).toBe('200 1.1');
    expect(paths).toEqual(['2.0 /any', '2.0 /h1-only', '1.1 /h1-only', '1.1 /any']);
  });

  it('that permits five streams: the others get connections of their own, or wait', async () => {
    const all = await Promise.all(Array.from({ length: 60 }, () => get('/slow', 'narrow')));
    expect(new Set(all)).toEqual(new Set(['200 slow but whole']));
  });
});

describe('a client', () => {
  it('that says GOAWAY gets what it has asked for', async () => {
    paths = [];
    const session = connect(`http://127.0.0.1:${gateway.port}`);
    const bodies = Array.from({ length: 3 }, () => readAll(session.request({ ':path': '/slow' })));
    await vi.waitFor(() => expect(seen('/slow')).toBe(3));
    session.close();
    expect(await Promise.all(bodies)).toEqual(new Array(3).fill('slow but whole'));
    await once(session, 'close');
  });

  it('with three hundred requests at once gets an answer to each, within the limit of streams', async () => {
    const session = connect(`http://127.0.0.1:${gateway.port}`);
    await once(session, 'remoteSettings');
    expect(session.remoteSettings.maxConcurrentStreams).toBe(100);
    const bodies = Array.from({ length: 300 }, () => readAll(session.request({ ':path': '/which' })));
    expect((await Promise.all(bodies)).every((body) => body.startsWith('connection'))).toBe(true);
    session.close();
    await once(session, 'close');
  });
});

describe('a gateway that is told to stop', () => {
  it('says GOAWAY, answers what it has, and ends', async () => {
    const own = await Gateway.start({ upstreams: { h2: { address: origin.address, options: { alpn: 'h2' } } } });
    const session = connect(`http://127.0.0.1:${own.port}`);
    paths = [];
    const body = readAll(session.request({ ':path': '/slow' }));
    await vi.waitFor(() => expect(seen('/slow')).toBe(1));
    const goaway = once(session, 'goaway');
    process.kill(own.subject.pid, 'SIGTERM');
    const [code] = await goaway;
    expect(code).toBe(constants.NGHTTP2_NO_ERROR);
    expect(await body).toBe('slow but whole');
    await once(session, 'close');
    await vi.waitFor(() => expect(own.subject.alive).toBe(false), 3_000);
    expect(own.subject.output).not.toContain('fail to proxy');
    await own.files.remove();
  });
});

async function readAll(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
