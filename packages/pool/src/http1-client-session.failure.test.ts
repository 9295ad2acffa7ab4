import { CirqueError } from '@cirque/error';
import { describe, expect, test } from 'vitest';
import { type OpenSession, openSession, request, response, settle } from '../test/open-session.ts';

/** A session in its second exchange. */
async function reusedSession(): Promise<OpenSession> {
  const open = openSession();
  open.session.writeHead(request(), 0);
  await settle();
  await open.send(response());
  open.session.release();
  open.fate.length = 0;
  return { ...open, recorder: open.next() };
}

describe('Http1ClientSession: release', () => {
  test('of an exchange in which nothing was written keeps the connection, as fresh as it was', async () => {
    const { session, fate, near } = openSession();
    session.release();
    expect(fate).toEqual(['reusable']);
    expect(session.reused).toBe(false);
    expect(near.destroyed).toBe(false);
  });

  test.each([
    ['after the head', (open: OpenSession) => open.session.writeHead(request(), 0)],
    ['before the end of the request', (open: OpenSession) => open.session.writeHead(request('POST'), 5)],
  ])('%s closes', async (_, act) => {
    const open = openSession();
    act(open);
    await settle();
    open.session.release();
    expect(open.fate).toEqual(['closed']);
    expect(open.near.destroyed).toBe(true);
  });

  test('inside the response closes, and nothing more is reported', async () => {
    const open = openSession();
    open.recorder.onLine = (line) => {
      if (line.startsWith('head')) open.session.release();
    };
    open.session.writeHead(request(), 0);
    await settle();
    await open.send(response('hello'));
    expect(open.recorder.lines).toEqual(['head 200 5']);
    expect(open.fate).toEqual(['closed']);
  });

  test('of a connection that was destroyed meanwhile closes', async () => {
    const open = openSession();
    open.near.destroy();
    open.session.release();
    await settle();
    expect(open.fate).toEqual(['closed']);
  });
});

describe('Http1ClientSession: abort', () => {
  test.each([
    ['before anything', async () => undefined],
    ['after the head', async (open: OpenSession) => open.session.writeHead(request(), 0)],
    ['inside the request body', async (open: OpenSession) => open.session.writeHead(request('POST'), 5)],
    [
      'inside the response',
      async (open: OpenSession) => {
        open.session.writeHead(request(), 0);
        await settle();
        await open.send(response('hello').slice(0, -1));
      },
    ],
    [
      'after the response',
      async (open: OpenSession) => {
        open.session.writeHead(request(), 0);
        await settle();
        await open.send(response());
      },
    ],
    ['while paused', async (open: OpenSession) => open.session.pause()],
  ])('%s closes at once, silently and once', async (_, prepare) => {
    const open = openSession();
    await prepare(open);
    const before = [...open.recorder.lines];
    open.session.abort();
    open.session.abort();
    open.session.release();
    open.session.resume();
    await open.send('more');
    open.clock.advance(1_000_000);
    expect(open.recorder.lines).toEqual(before);
    expect(open.fate).toEqual(['closed']);
    expect(open.near.destroyed).toBe(true);
    expect(open.wheel.size).toBe(0);
  });

  test.each(['head', 'body', 'end'])('from the call that reports the %s is obeyed', async (when) => {
    const open = openSession();
    open.recorder.onLine = (line) => {
      if (line.startsWith(when)) open.session.abort();
    };
    open.session.writeHead(request(), 0);
    await settle();
    await open.send(response('hello'));
    expect(open.recorder.lines.at(-1)).toMatch(new RegExp(`^${when}`));
    expect(open.fate).toEqual(['closed']);
  });
});

describe('Http1ClientSession: a connection that breaks', () => {
  test('before anything was written on a reused one may be tried again, whatever the method', async () => {
    const { recorder, sendEnd, fate } = await reusedSession();
    await sendEnd();
    expect(recorder.lines).toEqual(['error ConnectionClosed']);
    expect(recorder.error?.retry).toBe(true);
    expect(fate).toEqual(['closed']);
  });

  test('before anything was written on a fresh one is that upstream’s fault', async () => {
    const { recorder, sendEnd } = openSession();
    await sendEnd();
    expect(recorder.error).toMatchObject({ type: 'ConnectionClosed', source: 'Upstream' });
    expect(recorder.error?.retryable(false)).toBe(false);
  });

  test.each([
    ['FIN', (open: OpenSession) => open.sendEnd()],
    ['RST', async (open: OpenSession) => void open.far.destroy(new Error('reset'))],
  ])('by %s before a byte of the response may be tried again if it was reused', async (_, breakIt) => {
    const open = await reusedSession();
    open.session.writeHead(request(), 0);
    await settle();
    await breakIt(open);
    await settle();
    expect(open.recorder.lines).toHaveLength(1);
    expect(open.recorder.error).toMatchObject({ source: 'Upstream', retry: 'ReusedOnly' });
    expect(open.session.responseStarted).toBe(false);
  });

  test('after a byte of the response must not be tried again', async () => {
    const open = await reusedSession();
    open.session.writeHead(request(), 0);
    await settle();
    await open.send('H');
    await open.sendEnd();
    expect(open.session.responseStarted).toBe(true);
    expect(open.recorder.error).toMatchObject({ type: 'ConnectionClosed', retry: false });
  });

  test('is reported once, with the error of the transport', async () => {
    const { session, recorder, far, fate } = openSession();
    session.writeHead(request(), 0);
    await settle();
    far.destroy(new Error('reset'));
    await settle();
    expect(recorder.lines).toEqual(['error ReadError']);
    expect(recorder.error).toHaveProperty('cause.code', 'ECONNRESET');
    expect(fate).toEqual(['closed']);
  });

  test('inside a body that ends with the connection is an error, not the end', async () => {
    const { session, recorder, send, far } = openSession();
    session.writeHead(request(), 0);
    await settle();
    await send('HTTP/1.1 200 OK\r\n\r\nhel');
    far.destroy(new Error('reset'));
    await settle();
    expect(recorder.lines).toEqual(['head 200 unknown', 'body hel', 'error ReadError']);
  });

  test.each([
    ['FIN', (open: OpenSession) => open.sendEnd(), 'ConnectionClosed'],
    ['RST', async (open: OpenSession) => void open.far.destroy(new Error('reset')), 'ReadError'],
    ['bytes', (open: OpenSession) => open.send(response()), 'InvalidHTTPHeader'],
  ])('by %s while it had no handler is told when the head is written', async (_, breakIt, type) => {
    const open = await reusedSession();
    open.session.release();
    const { handler } = open.session;
    open.next();
    // As the connector hands it out: with no handler yet.
    open.session.handler = handler;
    await breakIt(open);
    await settle();
    const write = (): void => open.session.writeHead(request(), 0);
    expect(write).toThrow(CirqueError);
    expect(write).toThrow(expect.objectContaining({ type, source: 'Upstream', retry: true }));
  });
});

describe('Http1ClientSession: bytes before the request', () => {
  test.each([
    ['', false],
    [' while paused', true],
  ])('break the exchange%s', async (_, paused) => {
    const open = openSession();
    if (paused) open.session.pause();
    await open.send(response('poison'));
    if (paused) open.session.resume();
    await settle();
    expect(open.recorder.lines).toEqual(['error InvalidHTTPHeader']);
    expect(open.fate).toEqual(['closed']);
  });

  test('that were held back by a pause do not survive a release', async () => {
    const open = openSession();
    open.session.pause();
    await open.send(response('poison'));
    open.session.release();
    await settle();
    expect(open.session.usable).toBe(false);
  });
});

test('Http1ClientSession: an exception in the handler is the failure of this exchange', async () => {
  const { session, recorder, send, fate } = openSession();
  recorder.onLine = (line) => {
    if (line.startsWith('head')) throw new Error('broken handler');
  };
  session.writeHead(request(), 0);
  await settle();
  await send(response('a'));
  expect(recorder.lines).toEqual(['head 200 1', 'error InternalError']);
  expect(fate).toEqual(['closed']);
});
