import type { CirqueError } from '@cirque/error';
import { HeaderMap } from '@cirque/http';
import { describe, expect, test } from 'vitest';
import { settle } from '../test/memory-network.ts';
import { Recorder, request } from '../test/open-session.ts';
import { DATA, endsStream, HEADERS, type RawHttp2, type RawNetwork, rawNetwork } from '../test/raw-http2.ts';
import type { ClientSession } from './client-session.ts';
import { HttpPeer } from './peer.ts';
import type { PeerOptions } from './peer-options.ts';

const REFUSED_STREAM = 7;
const CANCEL = 8;
const HTTP_1_1_REQUIRED = 13;

interface Opened {
  readonly network: RawNetwork;
  readonly origin: RawHttp2;
  readonly session: ClientSession;
  readonly recorder: Recorder;
}

/** The first session of a new connection, with nothing written yet. */
async function open(options: PeerOptions = {}, network: RawNetwork = rawNetwork()): Promise<Opened> {
  const peer = new HttpPeer('origin:80', { alpn: 'h2', ...options });
  const session = await network.connector.getSession(peer);
  const recorder = new Recorder();
  session.handler = recorder;
  await settle();
  return { network, origin: network.origins.at(-1) as RawHttp2, session, recorder };
}

/** The same with a GET under way. */
async function asked(options: PeerOptions = {}, network: RawNetwork = rawNetwork()): Promise<Opened> {
  const opened = await open(options, network);
  opened.session.writeHead(request(), 0);
  await settle();
  return opened;
}

/** The same on a connection that has answered once. */
async function askedAgain(options: PeerOptions = {}): Promise<Opened & { readonly id: number }> {
  const first = await asked(options);
  first.origin.answer(1);
  await settle();
  first.session.release();
  return { ...(await asked(options, first.network)), id: 3 };
}

function bytes(length: number): Buffer {
  return Buffer.alloc(length, 'x');
}

describe('Http2ClientSession: requests', () => {
  test('a request without a body is one frame that ends its stream', async () => {
    const { network, origin } = await asked();
    expect(origin.requests).toEqual([1]);
    expect(endsStream(origin.of(HEADERS)[0])).toBe(true);
    network.connector.close();
  });

  test('what is written in one turn is sent in one piece', async () => {
    const { network, origin, session } = await open();
    const before = origin.chunks;
    session.writeHead(request('POST'), 6);
    session.writeBody(Buffer.from('abc'), 0, 3);
    session.writeBody(Buffer.from('-def-'), 1, 4);
    session.end();
    expect(session.bodyBytesSent).toBe(6);
    await settle();
    expect(origin.chunks).toBe(before + 1);
    expect(origin.body(1)).toBe('abcdef');
    expect(endsStream(origin.of(DATA, 1).at(-1))).toBe(true);
    network.connector.close();
  });

  test('trailers end the stream', async () => {
    const { network, origin, session } = await open();
    session.writeHead(request('POST'), undefined);
    session.writeBody(Buffer.from('abc'), 0, 3);
    session.end(HeaderMap.from({ 'X-Sum': '6' }));
    await settle();
    expect(origin.body(1)).toBe('abc');
    expect(origin.requests).toEqual([1, 1]);
    expect(endsStream(origin.of(HEADERS)[1])).toBe(true);
    network.connector.close();
  });

  test('a body that contradicts its length is refused', async () => {
    const { network, session } = await open();
    expect(() => session.writeHead(request('POST', { 'Content-Length': '5' }), 0)).toThrow('but there is no body');
    session.writeHead(request('POST', { 'Content-Length': '5' }), 5);
    expect(() => session.writeBody(bytes(6), 0, 6)).toThrow('longer than its Content-Length');
    session.writeBody(bytes(3), 0, 3);
    expect(() => session.end()).toThrow('2 bytes shorter');
    session.abort();
    network.connector.close();
  });

  test('CONNECT, and a request without Host, are refused', async () => {
    const { network, session } = await open();
    expect(() => session.writeHead(request('CONNECT'), 0)).toThrow('http1Only');
    const nameless = request();
    nameless.removeHeader('Host');
    expect(() => session.writeHead(nameless, 0)).toThrow('without Host');
    session.abort();
    network.connector.close();
  });

  test('writing waits for the window, and goes on with it', async () => {
    const network = rawNetwork();
    network.onConnection = (origin) => void origin.settings([4, 10]);
    const { origin, session, recorder } = await open({}, network);
    session.writeHead(request('POST'), undefined);
    expect(session.writeBody(bytes(40_000), 0, 40_000)).toBe(false);
    await settle();
    expect(origin.body(1)).toHaveLength(10);
    expect(recorder.lines).toEqual([]);
    origin.windowUpdate(1, 50_000);
    await settle();
    expect(origin.body(1)).toHaveLength(40_000);
    expect(recorder.lines).toEqual(['drain']);
    network.connector.close();
  });
});

describe('Http2ClientSession: responses', () => {
  test('head, body and trailers', async () => {
    const { network, origin, session, recorder } = await asked();
    origin.head(1, 200, { 'content-length': '2' }).data(1, 'ok').trailers(1, { 'x-sum': '1' });
    await settle();
    expect(recorder.lines).toEqual(['head 200 2', 'body ok', 'end {"x-sum":"1"}']);
    expect(recorder.heads[0]?.version).toBe('2');
    expect(session).toMatchObject({ httpVersion: '2', responseStarted: true, bodyBytesReceived: 2 });
    network.connector.close();
  });

  test('a head that ends the stream', async () => {
    const { network, origin, recorder } = await asked();
    origin.head(1, 204, {}, true);
    await settle();
    expect(recorder.lines).toEqual(['head 204 0', 'end']);
    network.connector.close();
  });

  test.each([
    ['HEAD', 200],
    ['GET', 204],
    ['GET', 304],
  ])('%s with %d has no body, whatever its length says', async (method, status) => {
    const { network, origin, session, recorder } = await open();
    session.writeHead(request(method), 0);
    await settle();
    const announced = status === 204 ? {} : { 'content-length': '50' };
    origin.head(1, status, announced).data(1, '', true);
    await settle();
    expect(recorder.lines).toEqual([`head ${status} 0`, 'end']);
    network.connector.close();
  });

  test('a body in the answer to HEAD is an error', async () => {
    const { network, origin, session, recorder } = await open();
    session.writeHead(request('HEAD'), 0);
    await settle();
    origin.head(1, 200).data(1, 'surprise', true);
    await settle();
    expect(recorder.error?.type).toBe('InvalidH2');
    expect(origin.resets(1)).toEqual([1]);
    network.connector.close();
  });

  test('interim heads come before, at most 20', async () => {
    const { network, origin, recorder } = await asked();
    for (let i = 0; i < 20; i += 1) {
      origin.head(1, 103, { link: '</a>' });
      await settle();
    }
    expect(recorder.lines).toEqual(Array.from({ length: 20 }, () => 'head 103 0'));
    origin.head(1, 103);
    await settle();
    expect(recorder.error).toMatchObject({ type: 'InvalidHTTPHeader', source: 'Upstream' });
    expect(origin.resets(1)).toEqual([1]);
    network.connector.close();
  });

  test.each([
    [
      'a length that its body contradicts',
      (origin: RawHttp2) => origin.head(1, 200, { 'content-length': '3' }).data(1, 'ok', true),
    ],
    ['status 101', (origin: RawHttp2) => origin.head(1, 101)],
    ['an upper-case name', (origin: RawHttp2) => origin.head(1, 200, { 'X-Y': 'z' }, true)],
    ['a connection field', (origin: RawHttp2) => origin.head(1, 200, { connection: 'close' }, true)],
  ])('%s breaks the rules: the stream is reset, the connection goes on', async (_, misbehave) => {
    const { network, origin, recorder } = await asked();
    misbehave(origin);
    await settle();
    expect(recorder.error).toMatchObject({ type: 'InvalidH2', source: 'Upstream', retry: false });
    expect(origin.resets(1)).toEqual([1]);
    const next = await asked({}, network);
    next.origin.answer(3);
    await settle();
    expect(next.recorder.lines.at(-1)).toBe('end');
    expect(network.origins).toHaveLength(1);
    network.connector.close();
  });

  test('an answer before the request is complete: the rest is not sent', async () => {
    const { network, origin, session, recorder } = await open();
    session.writeHead(request('POST'), undefined);
    await settle();
    origin.answer(1, 'no');
    await settle();
    expect(recorder.lines.at(-1)).toBe('end');
    expect(session.writeBody(bytes(5), 0, 5)).toBe(true);
    session.release();
    await settle();
    expect(origin.resets(1)).toEqual([CANCEL]);
    expect(network.connector.stats).toMatchObject({ idle: 1, h2Streams: 0 });
    network.connector.close();
  });

  test('the upstream that stops an upload after its answer has not failed', async () => {
    const { network, origin, session, recorder } = await open();
    session.writeHead(request('POST'), undefined);
    await settle();
    origin.answer(1, 'no').reset(1, 0);
    await settle();
    expect(recorder.lines).toEqual(['head 200 unknown', 'body no', 'end']);
    session.writeBody(bytes(5), 0, 5);
    session.end();
    session.release();
    await settle();
    expect(origin.resets(1)).toEqual([]);
    network.connector.close();
  });
});

describe('Http2ClientSession: pause', () => {
  test('nothing is reported while paused, and everything afterwards', async () => {
    const { network, origin, session, recorder } = await asked();
    session.pause();
    origin.head(1, 200).data(1, 'abc').data(1, 'def').trailers(1, { 'x-sum': '6' });
    await settle();
    expect(recorder.lines).toEqual([]);
    session.resume();
    expect(recorder.lines).toEqual(['head 200 unknown', 'body abcdef', 'end {"x-sum":"6"}']);
    network.connector.close();
  });

  test('within a report it takes effect at once', async () => {
    const { network, origin, session, recorder } = await asked();
    recorder.onLine = () => session.pause();
    origin.head(1, 200).data(1, 'abc').data(1, 'def', true);
    await settle();
    expect(recorder.lines).toEqual(['head 200 unknown']);
    session.resume();
    expect(recorder.lines).toHaveLength(2);
    session.resume();
    session.resume();
    expect(recorder.lines.at(-1)).toBe('end');
    network.connector.close();
  });

  test('the end of a head that came alone waits, too', async () => {
    const { network, origin, session, recorder } = await asked();
    recorder.onLine = () => session.pause();
    origin.head(1, 204, {}, true);
    await settle();
    expect(recorder.lines).toEqual(['head 204 0']);
    session.resume();
    expect(recorder.lines).toEqual(['head 204 0', 'end']);
    network.connector.close();
  });

  test('what nobody reads fills its window and no other', async () => {
    const { network, origin, session } = await asked({ h2StreamWindowBytes: 10_000 });
    const other = await asked({ h2StreamWindowBytes: 10_000 }, network);
    session.pause();
    origin.head(1, 200).data(1, 'x'.repeat(10_000));
    other.origin.head(3, 200).data(3, 'y'.repeat(8_000));
    await settle();
    expect(other.recorder.body).toHaveLength(8_000);
    const updates = (id: number): number => origin.of(8, id).length;
    expect(updates(1)).toBe(0);
    expect(updates(3)).toBeGreaterThan(0);
    session.resume();
    await settle();
    expect(updates(1)).toBeGreaterThan(0);
    network.connector.close();
  });

  test('a paused session that misses nothing survives the connection', async () => {
    const { network, origin, session, recorder } = await asked();
    const other = await asked({}, network);
    session.pause();
    origin.answer(1, 'whole').head(3, 200).data(3, 'half');
    await settle();
    origin.stream.destroy(new Error('reset'));
    await settle();
    expect(recorder.lines).toEqual([]);
    expect(other.recorder.lines.at(-1)).toMatch(/^error/);
    session.resume();
    expect(recorder.lines).toEqual(['head 200 unknown', 'body whole', 'end']);
    session.release();
    expect(network.connector.stats).toMatchObject({ h2Connections: 0, idle: 0, active: 0 });
  });

  test('one that misses something is told', async () => {
    const { origin, session, recorder } = await asked();
    session.pause();
    origin.head(1, 200).data(1, 'half');
    await settle();
    origin.stream.end();
    await settle();
    expect(recorder.lines).toEqual(['error ConnectionClosed']);
    session.resume();
    expect(recorder.lines).toHaveLength(1);
  });
});

describe('Http2ClientSession: failures', () => {
  async function failure(opened: Opened, misbehave: (origin: RawHttp2) => unknown): Promise<CirqueError | undefined> {
    misbehave(opened.origin);
    await settle();
    return opened.recorder.error;
  }

  test('REFUSED_STREAM may be tried again', async () => {
    const opened = await asked();
    const error = await failure(opened, (origin) => origin.reset(1, REFUSED_STREAM));
    expect(error).toMatchObject({ type: 'H2Error', source: 'Upstream', retry: true });
    expect(opened.network.connector.stats).toMatchObject({ h2Connections: 1, h2Streams: 0 });
    opened.network.connector.close();
  });

  test.each([0, 1, 2, CANCEL, 11, 99])('a reset with code %d is an answer: it is not tried again', async (code) => {
    const opened = await askedAgain();
    const error = await failure(opened, (origin) => origin.reset(opened.id, code));
    expect(error).toMatchObject({ type: 'H2Error', source: 'Upstream', retry: false });
    opened.network.connector.close();
  });

  test('a reset on a connection that goes away may be, if it had answered before', async () => {
    const opened = await askedAgain();
    const error = await failure(opened, (origin) => origin.goaway(2 ** 31 - 1).reset(opened.id, CANCEL));
    expect(error).toMatchObject({ type: 'H2Error', retry: 'ReusedOnly' });
  });

  test('GOAWAY: what is above its last id may be tried again, what is not goes on', async () => {
    const first = await asked();
    const second = await asked({}, first.network);
    first.origin.goaway(1);
    await settle();
    expect(second.recorder.error).toMatchObject({ retry: true });
    expect(first.recorder.lines).toEqual([]);
    first.origin.answer(1);
    await settle();
    expect(first.recorder.lines.at(-1)).toBe('end');
    first.session.release();
    await settle();
    expect(first.origin.closed).toBe(true);
    expect(first.network.connector.stats).toMatchObject({ h2Connections: 0, idle: 0 });
  });

  test.each([
    ['FIN', 'ConnectionClosed', (origin: RawHttp2) => origin.stream.end()],
    ['a reset', 'ReadError', (origin: RawHttp2) => origin.stream.destroy(new Error('reset'))],
    ['nonsense', 'H2Error', (origin: RawHttp2) => origin.stream.write('HTTP/1.1 400 Bad Request\r\n\r\n')],
  ])('%s ends all requests; those on a connection that had answered may be repeated', async (_, type, misbehave) => {
    const fresh = await asked();
    expect(await failure(fresh, misbehave)).toMatchObject({ source: 'Upstream', retry: false });
    const reused = await askedAgain();
    const other = await asked({}, reused.network);
    expect(reused.session.reused).toBe(true);
    const error = await failure(reused, misbehave);
    expect(error).toMatchObject({ type, source: 'Upstream', retry: 'ReusedOnly' });
    expect(other.recorder.error).toMatchObject({ type, retry: 'ReusedOnly' });
    expect(other.recorder.error).not.toBe(error);
    expect(reused.network.connector.stats).toMatchObject({ h2Connections: 0, h2Streams: 0, active: 0 });
  });

  test('but not once their answer has begun', async () => {
    const opened = await askedAgain();
    opened.origin.head(3, 200);
    await settle();
    const error = await failure(opened, (origin) => origin.stream.end());
    expect(error).toMatchObject({ type: 'ConnectionClosed', retry: false });
  });

  test('a request that was not sent may be tried again', async () => {
    const unwritten = await open();
    expect(await failure(unwritten, (origin) => origin.stream.end())).toMatchObject({ retry: true });
    const late = await open();
    late.origin.goaway(0);
    await settle();
    expect(() => late.session.writeHead(request(), 0)).toThrow(expect.objectContaining({ retry: true }));
    late.session.abort();
  });

  test('a failure before there is a handler is thrown by writeHead', async () => {
    const network = rawNetwork();
    const session = await network.connector.getSession(new HttpPeer('origin:80', { alpn: 'h2' }));
    await settle();
    network.origins[0]?.stream.end();
    await settle();
    expect(() => session.writeHead(request(), 0)).toThrow(expect.objectContaining({ type: 'ConnectionClosed' }));
  });

  test('HTTP_1_1_REQUIRED without TLS cannot be obeyed', async () => {
    const opened = await asked();
    const error = await failure(opened, (origin) => origin.reset(1, HTTP_1_1_REQUIRED));
    expect(error).toMatchObject({ type: 'H2Downgrade', source: 'Upstream', retry: false });
    opened.network.connector.close();
  });

  test('abort cancels the stream, and nothing is heard of it any more', async () => {
    const { network, origin, session, recorder } = await asked();
    session.abort();
    origin.head(1, 200).data(1, 'late', true);
    await settle();
    expect(origin.resets(1)).toEqual([CANCEL]);
    expect(recorder.lines).toEqual([]);
    expect(network.connector.stats).toMatchObject({ idle: 1, h2Streams: 0 });
    network.connector.close();
  });

  test('release before the answer cancels, and without a request does nothing', async () => {
    const { network, origin, session } = await asked();
    session.release();
    const unused = await open({}, network);
    unused.session.release();
    await settle();
    expect(origin.resets(1)).toEqual([CANCEL]);
    expect(origin.requests).toEqual([1]);
    expect(network.origins).toHaveLength(1);
    network.connector.close();
  });
});

describe('Http2ClientSession: time', () => {
  test('readTimeoutMs: between two signs of the response', async () => {
    const { network, origin, recorder } = await asked({ readTimeoutMs: 1_000 });
    await network.pass(900);
    origin.head(1, 200);
    await settle();
    await network.pass(900);
    expect(recorder.lines).toEqual(['head 200 unknown']);
    await network.pass(200);
    expect(recorder.error).toMatchObject({ type: 'ReadTimedout', source: 'Upstream', retry: false });
    expect(origin.resets(1)).toEqual([CANCEL]);
    network.connector.close();
  });

  test('not while the request is being made, nor while paused', async () => {
    const { network, session, recorder } = await open({ readTimeoutMs: 1_000 });
    session.writeHead(request('POST'), undefined);
    await network.pass(5_000);
    session.end();
    session.pause();
    await network.pass(5_000);
    expect(recorder.lines).toEqual([]);
    session.resume();
    await network.pass(1_100);
    expect(recorder.error?.type).toBe('ReadTimedout');
    network.connector.close();
  });

  test('a stream that times out on a silent connection keeps others off it', async () => {
    const silent = await asked({ readTimeoutMs: 1_000 });
    await silent.network.pass(1_100);
    const next = await asked({ readTimeoutMs: 1_000 }, silent.network);
    expect(silent.network.origins).toHaveLength(2);
    const slow = next;
    slow.origin.send(6, 0, 0, Buffer.alloc(8));
    await slow.network.pass(500);
    slow.origin.send(6, 0, 0, Buffer.alloc(8));
    await slow.network.pass(600);
    expect(slow.recorder.error?.type).toBe('ReadTimedout');
    await asked({}, silent.network);
    expect(silent.network.origins).toHaveLength(2);
    silent.network.connector.close();
  });

  test('a stream that times out within a head keeps others off its connection', async () => {
    const stuck = await asked({ readTimeoutMs: 1_000 });
    await stuck.network.pass(500);
    // HEADERS without END_HEADERS: nothing but its rest can follow.
    stuck.origin.send(1, 0, 1, Buffer.from([0x88]));
    await stuck.network.pass(600);
    expect(stuck.recorder.error?.type).toBe('ReadTimedout');
    await asked({}, stuck.network);
    expect(stuck.network.origins).toHaveLength(2);
    stuck.network.connector.close();
  });

  test('writeTimeoutMs: without progress while the window is closed', async () => {
    const network = rawNetwork();
    network.onConnection = (origin) => void origin.settings([4, 0]);
    const { origin, session, recorder } = await open({ writeTimeoutMs: 1_000, readTimeoutMs: 0 }, network);
    session.writeHead(request('POST'), undefined);
    session.writeBody(bytes(30_000), 0, 30_000);
    await settle();
    for (let i = 0; i < 5; i += 1) {
      await network.pass(900);
      origin.windowUpdate(1, 10);
      await settle();
    }
    expect(recorder.error).toBeUndefined();
    await network.pass(1_100);
    await network.pass(1_100);
    expect(recorder.error).toMatchObject({ type: 'WriteTimedout', source: 'Upstream' });
    expect(origin.resets(1)).toEqual([CANCEL]);
    network.connector.close();
  });

  test('minSendRate asks for more than any progress', async () => {
    const network = rawNetwork();
    network.onConnection = (origin) => void origin.settings([4, 0]);
    const { origin, session, recorder } = await open({ minSendRate: 10_000 }, network);
    session.writeHead(request('POST'), undefined);
    session.writeBody(bytes(30_000), 0, 30_000);
    await settle();
    await network.pass(2_900);
    origin.windowUpdate(1, 1_000);
    await settle();
    expect(recorder.error).toBeUndefined();
    await network.pass(200);
    expect(recorder.error?.type).toBe('WriteTimedout');
    network.connector.close();
  });

  test('no timer is left when a session is over', async () => {
    const { network, origin, session } = await asked({ idleTimeoutMs: 0 });
    origin.answer(1);
    await settle();
    session.release();
    await settle();
    expect(network.wheel.size).toBe(0);
  });
});
