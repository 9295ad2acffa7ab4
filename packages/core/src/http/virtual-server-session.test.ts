import { CirqueError } from '@cirque/error';
import { HeaderMap, RequestHeader, ResponseHeader } from '@cirque/http';
import { describe, expect, test } from 'vitest';
import type { ServerSessionHandler } from './server-session.ts';
import { type VirtualRequest, VirtualServerSession } from './virtual-server-session.ts';

interface Scene {
  readonly session: VirtualServerSession;
  /** What the application was told, and what the sink got, in order. */
  readonly events: string[];
  feed(text: string): boolean;
  /** Answers of onBody, taken from the front; true when empty. */
  readonly room: boolean[];
}

function scene(
  request: Partial<Omit<VirtualRequest, 'sink'>> = {},
  onBody?: (session: VirtualServerSession, text: string) => void,
): Scene {
  const events: string[] = [];
  const room: boolean[] = [];
  const session = new VirtualServerSession({
    header: new RequestHeader('POST', '/'),
    bodyLength: undefined,
    ...request,
    sink: {
      onHead: (header, end) => events.push(`head ${header.status}${end ? ' end' : ''}`),
      onBody(buffer, start, end) {
        events.push(`> ${buffer.toString('latin1', start, end)}`);
        return room.shift() ?? true;
      },
      onEnd: (trailers) => events.push(`end${trailers === undefined ? '' : ` ${JSON.stringify(trailers)}`}`),
      onAbort: (error) => events.push(`abort ${error.type}`),
      onPause: () => events.push('pause'),
      onResume: () => events.push('resume'),
      onFinish: () => events.push('finish'),
    },
  });
  const handler: ServerSessionHandler = {
    onRequestBody(buffer, start, end) {
      const text = buffer.toString('latin1', start, end);
      events.push(`< ${text}`);
      onBody?.(session, text);
    },
    onRequestEnd: (trailers) => events.push(`request end${trailers === undefined ? '' : ` ${trailers.size}`}`),
    onDownstreamDrain: () => events.push('drain'),
    onDownstreamError: (error) => events.push(`error ${error.type}`),
  };
  session.handler = handler;
  return { session, events, room, feed: (text) => session.feedBody(Buffer.from(`__${text}`), 2, 2 + text.length) };
}

function post(fields: Record<string, string>): RequestHeader {
  return new RequestHeader('POST', '/', HeaderMap.from(fields));
}

describe('VirtualServerSession: the request', () => {
  test('pieces, end and trailers are reported as they are fed', () => {
    const { session, events, feed } = scene();
    expect(feed('ab')).toBe(true);
    expect(session.requestComplete).toBe(false);
    session.feedEnd(HeaderMap.from({ X: '1' }));
    expect(events).toEqual(['< ab', 'request end 1']);
    expect(session.bodyBytesReceived).toBe(2);
    expect(session.requestComplete).toBe(true);
  });

  test('nothing is reported of a request without a body', () => {
    const { session, events } = scene({ bodyLength: 0 });
    expect(session.requestComplete).toBe(true);
    session.feedEnd();
    expect(events).toEqual([]);
  });

  test('resume reports a flush although nothing of the body has come', () => {
    const { session, events } = scene();
    session.handler.onDownstreamFlush = () => events.push('flush');
    session.pause();
    session.resume();
    session.resume();
    expect(events).toEqual(['pause', 'flush', 'resume', 'flush']);
  });

  test('a pause is strong: what is fed is copied and held, end and all', () => {
    const { session, events } = scene();
    session.pause();
    const reused = Buffer.from('ab');
    expect(session.feedBody(reused, 0, 2)).toBe(false);
    reused.fill('x');
    session.feedBody(Buffer.from('c'), 0, 1);
    session.feedEnd();
    expect(events).toEqual(['pause']);
    session.resume();
    expect(events).toEqual(['pause', '< ab', '< c', 'request end', 'resume']);
  });

  test('a pause from inside of a piece holds the rest, and the maker is not told to go on', () => {
    const { session, events, feed } = scene({}, (it, text) => {
      if (text !== 'c') it.pause();
    });
    feed('a');
    feed('b');
    feed('c');
    expect(events).toEqual(['< a', 'pause']);
    session.resume();
    expect(events).toEqual(['< a', 'pause', '< b', 'pause']);
    session.resume();
    expect(events.slice(4)).toEqual(['< c', 'resume']);
  });

  test('a piece that is fed from inside of a piece comes after it', () => {
    const { events, feed } = scene({}, (session, text) => {
      if (text === 'a') session.feedBody(Buffer.from('b'), 0, 1);
      events.push(`done ${text}`);
    });
    feed('a');
    expect(events).toEqual(['< a', 'done a', '< b', 'done b']);
  });

  test.each([
    [3, 'abcd', 'InvalidHTTPHeader'],
    [3, 'ab', 'PrematureBodyEnd'],
  ])('a body of another length than %i fails, and can be answered', (bodyLength, body, type) => {
    const { session, events, feed } = scene({ bodyLength });
    feed(body);
    session.feedEnd();
    session.feedEnd();
    expect(events.filter((event) => event !== `< ${body}`)).toEqual([`error ${type}`]);
    expect(session.writable).toBe(true);
    session.writeHead(new ResponseHeader(400), true);
    session.end();
    expect(events.slice(-3)).toEqual(['head 400 end', 'end', 'finish']);
  });

  test('a known length is told upstream by Content-Length', () => {
    expect(scene({ bodyLength: 5 }).session.requestHeader.getHeader('Content-Length')).toBe('5');
    expect(scene({ header: post({ 'content-length': '7' }) }).session.bodyLength).toBe(7);
  });

  test.each<[string, Partial<VirtualRequest>]>([
    ['contradicting lengths', { header: post({ 'Content-Length': '7' }), bodyLength: 0 }],
    ['a Content-Length that is none', { header: post({ 'Content-Length': '+7' }) }],
    ['a nomination of Host', { header: post({ Connection: 'host' }) }],
    ['a tunnel', { header: new RequestHeader('CONNECT', 'a.example:80') }],
    ['a target that does not go with the method', { header: new RequestHeader('GET', '*') }],
  ])('%s is refused', (_, request) => {
    expect(() => scene(request)).toThrow(expect.objectContaining({ type: 'InvalidHTTPHeader', source: 'Downstream' }));
  });

  test('the target is given when it is not in origin form, nominations are read from all lines', () => {
    const header = new RequestHeader('GET', 'http://a.example/x');
    header.appendHeader('Connection', 'close');
    header.appendHeader('Connection', 'X-Private');
    const { session } = scene({ header });
    expect(session.target).toMatchObject({ form: 'absolute', originForm: '/x', authority: 'a.example' });
    expect(session.connectionOptions).toMatchObject({ close: true, nominated: ['x-private'] });
    expect(scene().session.target).toBeUndefined();
  });
});

describe('VirtualServerSession: the response', () => {
  const write = (session: VirtualServerSession, text: string): boolean =>
    session.writeBody(Buffer.from(text), 0, text.length, undefined);

  test('heads, body, trailers and the end reach the sink', () => {
    const { session, events, room } = scene({ bodyLength: 0 });
    room.push(false);
    session.writeHead(new ResponseHeader(103), false);
    session.writeHead(new ResponseHeader(200), false);
    expect(session.responseStarted).toBe(true);
    expect(write(session, 'ab')).toBe(false);
    session.drained();
    expect(write(session, 'c')).toBe(true);
    session.writeEnd(HeaderMap.from({ 'X-Sum': '1' }));
    expect(session.writable).toBe(false);
    session.finish();
    session.finish();
    expect(events).toEqual(['head 103', 'head 200', '> ab', 'drain', '> c', 'end {"x-sum":"1"}', 'finish']);
    expect(session.bodyBytesSent).toBe(3);
  });

  test('trailers are dropped where nobody takes them', () => {
    const { session, events } = scene({ bodyLength: 0, acceptsTrailers: false });
    session.writeHead(new ResponseHeader(200), false);
    session.end(HeaderMap.from({ 'X-Sum': '1' }));
    expect(events).toEqual(['head 200', 'end', 'finish']);
  });

  test.each([
    ['HEAD', 200],
    ['GET', 204],
    ['GET', 304],
  ])('the body of %s %i is dropped, its length stays unless forbidden', (method, status) => {
    const { session, events } = scene({ header: new RequestHeader(method, '/'), bodyLength: 0 });
    const head = new ResponseHeader(status, HeaderMap.from({ 'Content-Length': '3' }));
    session.writeHead(head, false);
    expect(write(session, 'abc')).toBe(true);
    session.end(HeaderMap.from({ X: '1' }));
    expect(events).toEqual([`head ${status} end`, 'end', 'finish']);
    expect(head.getHeader('Content-Length')).toBe(status === 204 ? undefined : '3');
    expect(session.bodyBytesSent).toBe(0);
  });

  test('a body that is longer or shorter than announced is refused', () => {
    const { session } = scene({ bodyLength: 0 });
    session.writeHead(new ResponseHeader(200, HeaderMap.from({ 'Content-Length': '3' })), false);
    write(session, 'ab');
    expect(() => session.writeEnd()).toThrow(expect.objectContaining({ type: 'PrematureBodyEnd' }));
    expect(() => write(session, 'cd')).toThrow('longer than its Content-Length');
  });

  test('what is out of order is refused', () => {
    const { session } = scene({ bodyLength: 0 });
    expect(() => write(session, 'a')).toThrow('no response head');
    expect(() => session.writeHead(new ResponseHeader(101), false)).toThrow('no protocol to switch to');
    session.writeHead(new ResponseHeader(200), false);
    expect(() => session.writeHead(new ResponseHeader(200), false)).toThrow('already');
    session.writeEnd();
    expect(() => write(session, 'a')).toThrow('ended already');
    const length = new ResponseHeader(200, HeaderMap.from({ 'Content-Length': 'x' }));
    expect(() => scene({ bodyLength: 0 }).session.writeHead(length, false)).toThrow('not one number');
  });

  test('connection fields are wishes, and an empty body gets its length', () => {
    const { session } = scene({ bodyLength: 0 });
    const head = new ResponseHeader(200, HeaderMap.from({ Connection: 'close', 'Transfer-Encoding': 'chunked' }));
    session.writeHead(head, true);
    expect(head.headers.toJSON()).toEqual({ 'content-length': '0' });
    expect(session.keepAlive).toBe(false);
  });

  test('an answer before the end of the request is the last one', () => {
    const { session } = scene();
    session.writeHead(new ResponseHeader(103), false);
    expect(session.keepAlive).toBe(true);
    session.writeHead(new ResponseHeader(200), true);
    expect(session.keepAlive).toBe(false);
  });

  test('an abort is shown to the sink, but not behind a complete response', () => {
    const cut = scene({ bodyLength: 0 });
    cut.session.writeHead(new ResponseHeader(200), false);
    cut.session.abort(new CirqueError('ReadError'));
    expect(cut.events).toEqual(['head 200', 'abort ReadError', 'finish']);
    const whole = scene({ bodyLength: 0 });
    whole.session.writeHead(new ResponseHeader(200), true);
    whole.session.writeEnd();
    whole.session.abort(new CirqueError('ReadError'));
    expect(whole.events).toEqual(['head 200 end', 'end', 'finish']);
  });

  test('once the client has gone nothing is written any more', () => {
    const { session, events, feed } = scene();
    session.writeHead(new ResponseHeader(200), false);
    session.clientGone();
    session.clientGone();
    feed('late');
    session.drained();
    expect(session.writable).toBe(false);
    expect(write(session, 'late')).toBe(true);
    session.writeEnd();
    session.abort(new CirqueError('ReadError'));
    session.clientGone();
    expect(events).toEqual(['head 200', 'error ConnectionClosed', 'finish']);
  });
});
