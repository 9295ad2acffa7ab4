import { describe, expect, test } from 'vitest';
import { openSession, request, response, settle } from '../test/open-session.ts';

/** Just before, and just after, a deadline with the wheel's coarseness. */
const BEFORE = -1;
const AFTER = 40;

describe('Http1ClientSession: readTimeoutMs', () => {
  test('runs from the end of the request', async () => {
    const { session, recorder, clock, fate } = openSession({ readTimeoutMs: 1_000 });
    session.writeHead(request(), 0);
    await settle();
    clock.advance(1_000 + BEFORE);
    expect(recorder.lines).toEqual([]);
    clock.advance(AFTER);
    expect(recorder.lines).toEqual(['error ReadTimedout']);
    expect(recorder.error).toMatchObject({ source: 'Upstream', retry: false });
    expect(fate).toEqual(['closed']);
  });

  test('begins anew with every read', async () => {
    const { session, recorder, clock, send } = openSession({ readTimeoutMs: 1_000 });
    session.writeHead(request(), 0);
    await settle();
    for (const byte of response('hello').slice(0, -1)) {
      clock.advance(900);
      await send(byte);
    }
    expect(recorder.lines.at(-1)).toBe('body l');
    clock.advance(1_000 + AFTER);
    expect(recorder.lines.at(-1)).toBe('error ReadTimedout');
  });

  test('does not run while the client is slow to send the request', async () => {
    const { session, recorder, clock, send } = openSession({ readTimeoutMs: 1_000 });
    session.writeHead(request('POST'), 2);
    session.writeBody(Buffer.from('ab'), 0, 1);
    session.flush();
    clock.advance(100_000);
    await send('HTTP/1.1 100 Continue\r\n\r\n');
    clock.advance(100_000);
    expect(recorder.lines).toEqual(['head 100 0']);
    session.writeBody(Buffer.from('ab'), 1, 2);
    session.end();
    clock.advance(1_000 + AFTER);
    expect(recorder.lines.at(-1)).toBe('error ReadTimedout');
  });

  test('runs when the response has begun before the request was complete', async () => {
    const { session, recorder, clock, send } = openSession({ readTimeoutMs: 1_000 });
    session.writeHead(request('POST'), 2);
    session.flush();
    await send(response('hello').slice(0, -1));
    clock.advance(1_000 + AFTER);
    expect(recorder.lines.at(-1)).toBe('error ReadTimedout');
  });

  test('is that of the peer that uses the connection now', async () => {
    const { session, clock, send, next, wheel } = openSession({ readTimeoutMs: 1_000 });
    session.writeHead(request(), 0);
    await settle();
    await send(response());
    session.release();
    expect(wheel.size).toBe(0);
    const recorder = next({ readTimeoutMs: 50 });
    session.writeHead(request(), 0);
    clock.advance(50 + AFTER);
    expect(recorder.lines).toEqual(['error ReadTimedout']);
  });

  test('of 0 never ends', async () => {
    const { session, recorder, clock, wheel } = openSession({ readTimeoutMs: 0 });
    session.writeHead(request(), 0);
    await settle();
    expect(wheel.size).toBe(0);
    clock.advance(1e9, 1e8);
    expect(recorder.lines).toEqual([]);
    session.abort();
  });

  test('is over with the response, not with the release', async () => {
    const { session, recorder, clock, send, wheel } = openSession({ readTimeoutMs: 1_000 });
    session.writeHead(request(), 0);
    await settle();
    await send(response());
    clock.advance(100_000);
    expect(recorder.lines.at(-1)).toBe('end');
    expect(wheel.size).toBe(0);
  });
});

describe('Http1ClientSession: writeTimeoutMs', () => {
  const BODY = Buffer.alloc(10_000);

  test('runs while the upstream takes nothing', async () => {
    const { session, recorder, clock, far, fate } = openSession({ writeTimeoutMs: 1_000, readTimeoutMs: 10 }, 1_000);
    far.pause();
    session.writeHead(request('POST'), 50_000);
    expect(session.writeBody(BODY, 0, BODY.length)).toBe(false);
    clock.advance(1_000 + BEFORE);
    expect(recorder.lines).toEqual([]);
    clock.advance(AFTER);
    expect(recorder.lines).toEqual(['error WriteTimedout']);
    expect(recorder.error).toMatchObject({ source: 'Upstream', retry: false });
    expect(fate).toEqual(['closed']);
  });

  test('ends within twice its time after the last progress, which is looked at only then', async () => {
    const { session, recorder, clock, far } = openSession({ writeTimeoutMs: 1_000 }, 1_000);
    far.pause();
    session.writeHead(request('POST'), 50_000);
    session.writeBody(BODY, 0, BODY.length);
    await settle();
    clock.advance(1_000 + AFTER);
    expect(recorder.lines).toEqual([]);
    clock.advance(1_000 + AFTER);
    expect(recorder.lines).toEqual(['error WriteTimedout']);
  });

  test('begins anew with progress', async () => {
    const { session, recorder, clock, far } = openSession({ writeTimeoutMs: 1_000 }, 1_000);
    far.pause();
    session.writeHead(request('POST'), 50_000);
    for (let i = 0; i < 5; i += 1) session.writeBody(BODY, 0, BODY.length);
    for (let i = 0; i < 4; i += 1) {
      await settle();
      clock.advance(900);
      far.read();
      await settle();
      clock.advance(900);
    }
    expect(recorder.error).toBeUndefined();
    for (let i = 0; i < 3; i += 1) clock.advance(1_000 + AFTER);
    expect(recorder.error?.type).toBe('WriteTimedout');
  });

  test('is over when the upstream has taken everything', async () => {
    const { session, recorder, clock, far, wheel } = openSession({ writeTimeoutMs: 1_000 }, 1_000);
    far.pause();
    session.writeHead(request('POST'), 50_000);
    session.writeBody(BODY, 0, BODY.length);
    expect(wheel.size).toBe(1);
    far.resume();
    await settle();
    clock.advance(100_000);
    expect(recorder.lines).toEqual(['drain']);
    session.abort();
  });

  test('counts what a flush could not send', async () => {
    const { session, recorder, clock, far } = openSession({ writeTimeoutMs: 1_000 }, 1_000);
    far.pause();
    session.writeHead(request('POST'), 5_000);
    session.writeBody(BODY, 0, 4_000);
    session.flush();
    clock.advance(1_000 + AFTER);
    expect(recorder.lines).toEqual(['error WriteTimedout']);
  });
});

describe('Http1ClientSession: idle', () => {
  test('closes after its time', async () => {
    const { session, clock, send, fate } = openSession();
    session.writeHead(request(), 0);
    await settle();
    await send(response());
    session.release();
    session.idle(5_000);
    clock.advance(5_000 + BEFORE);
    expect(fate).toEqual(['reusable']);
    clock.advance(AFTER);
    expect(fate).toEqual(['reusable', 'closed']);
  });

  test('of 0 is for ever', async () => {
    const { session, clock, wheel, fate } = openSession();
    session.release();
    session.idle(0);
    clock.advance(1e9, 1e8);
    expect([wheel.size, fate]).toEqual([0, ['reusable']]);
    session.evicted();
  });

  test('is over with the next exchange', async () => {
    const { session, clock, next, fate } = openSession({ readTimeoutMs: 0 });
    session.release();
    session.idle(5_000);
    next();
    clock.advance(100_000);
    expect(fate).toEqual(['reusable']);
    session.abort();
  });

  test.each([
    ['timeout=5', 5_000],
    ['timeout=5, max=100', 5_000],
    ['max=100, timeout=0', 0],
    ['max=100', undefined],
  ])('learns how long the upstream keeps it from Keep-Alive: %s', async (value, expected) => {
    const { session, send } = openSession();
    session.writeHead(request(), 0);
    await settle();
    await send(response('', `Keep-Alive: ${value}\r\n`));
    expect(session.peerIdleMs).toBe(expected);
  });
});
