/**
 * Pausing as a guarantee: between pause and resume nothing of the response is reported, wherever it happens and whatever
 * arrives meanwhile, and nothing is lost or out of order afterwards.
 */
import { cutAtRandom, SeededRandom } from '@cirque/testing';
import { describe, expect, test } from 'vitest';
import { type OpenSession, openSession, request, response, settle } from '../test/open-session.ts';

const RESPONSES: [name: string, bytes: string, withEnd: boolean, body: string][] = [
  ['no body', response(), false, ''],
  ['Content-Length', response('hello'), false, 'hello'],
  [
    'chunked',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\nX-T: 1\r\n\r\n',
    false,
    'hello',
  ],
  ['until close', 'HTTP/1.1 200 OK\r\n\r\nhello', true, 'hello'],
  ['interim responses before', `HTTP/1.1 103 Early Hints\r\n\r\n${response('hello')}`, false, 'hello'],
  ['FIN after the end', response('hello'), true, 'hello'],
];

async function open(): Promise<OpenSession> {
  const opened = openSession();
  opened.session.writeHead(request(), 0);
  await settle();
  return opened;
}

describe.each(RESPONSES)('Http1ClientSession: pause, response with %s', (_, bytes, withEnd, body) => {
  /** What is reported without any pause. */
  async function reference(): Promise<string[]> {
    const { recorder, send, sendEnd } = await open();
    await send(bytes);
    if (withEnd) await sendEnd();
    return recorder.lines;
  }

  test('in every report, until resumed', async () => {
    const expected = await reference();
    for (let at = 0; at < expected.length - 1; at += 1) {
      const { session, recorder, send, sendEnd } = await open();
      recorder.onLine = () => {
        if (recorder.lines.length === at + 1) session.pause();
      };
      await send(bytes);
      if (withEnd) await sendEnd();
      expect(recorder.lines).toEqual(expected.slice(0, at + 1));
      session.resume();
      await settle();
      expect(recorder.lines).toEqual(expected);
    }
  });

  test('before anything arrives', async () => {
    const { session, recorder, send, sendEnd } = await open();
    session.pause();
    await send(bytes);
    if (withEnd) await sendEnd();
    expect(recorder.lines).toEqual([]);
    session.resume();
    await settle();
    expect(recorder.lines).toEqual(await reference());
  });

  test('in every report, resumed in a later turn, however the bytes are cut', async () => {
    for (let seed = 1; seed <= 10; seed += 1) {
      const { session, recorder, send, sendEnd, fate } = await open();
      let paused = false;
      recorder.onLine = (line) => {
        expect(paused).toBe(false);
        if (line.startsWith('end')) return;
        session.pause();
        paused = true;
        setImmediate(() => {
          paused = false;
          session.resume();
        });
      };
      for (const chunk of cutAtRandom(bytes, seed)) await send(chunk.toString('latin1'));
      if (withEnd) await sendEnd();
      for (let i = 0; i < 5; i += 1) await settle();
      expect(recorder.body).toBe(body);
      expect(recorder.lines.filter((line) => line.startsWith('end'))).toHaveLength(1);
      session.release();
      expect(fate).toEqual([withEnd ? 'closed' : 'reusable']);
    }
  });

  test('in every report, resumed in the same call', async () => {
    const { session, recorder, send, sendEnd } = await open();
    recorder.onLine = (line) => {
      if (line.startsWith('end')) return;
      session.pause();
      session.resume();
    };
    await send(bytes);
    if (withEnd) await sendEnd();
    expect(recorder.body).toBe(body);
    expect(recorder.lines.at(-1)).toMatch(/^end/);
    expect(recorder.lines.filter((line) => line.startsWith('end'))).toHaveLength(1);
  });
});

test('Http1ClientSession: pausing and resuming at random times loses and reorders nothing', async () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const random = new SeededRandom(seed);
    const { session, recorder, send } = await open();
    const pieces = Array.from({ length: 50 }, () => 'abcdefghij'.slice(0, random.int(1, 10)));
    const chunked = pieces.map((piece) => `${piece.length.toString(16)}\r\n${piece}\r\n`).join('');
    const bytes = `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunked}0\r\n\r\n`;
    let paused = false;
    recorder.onLine = () => {
      if (paused) throw new Error('reported while paused');
      if (random.chance(0.3)) {
        session.pause();
        paused = true;
      }
    };
    for (const chunk of cutAtRandom(bytes, seed)) {
      await send(chunk.toString('latin1'));
      if (!random.chance(0.5)) continue;
      paused = false;
      session.resume();
    }
    while (recorder.lines.at(-1) !== 'end' && recorder.error === undefined) {
      paused = false;
      session.resume();
      await settle();
    }
    expect(recorder.error).toBeUndefined();
    expect(recorder.body).toBe(pieces.join(''));
  }
});

describe('Http1ClientSession: while paused', () => {
  test('the end of the response is held back', async () => {
    const { session, recorder, send } = await open();
    recorder.onLine = (line) => {
      if (line === 'body hello') session.pause();
    };
    await send(response('hello'));
    expect(recorder.lines).toEqual(['head 200 5', 'body hello']);
    recorder.onLine = () => undefined;
    session.resume();
    expect(recorder.lines).toEqual(['head 200 5', 'body hello', 'end']);
  });

  test('FIN is held back, whether it ends the body or cuts it', async () => {
    for (const [bytes, last] of [
      ['HTTP/1.1 200 OK\r\n\r\nhello', 'end'],
      [`${response('hello').slice(0, -1)}`, 'error ConnectionClosed'],
    ]) {
      const { session, recorder, send } = await open();
      await send(bytes as string);
      const before = [...recorder.lines];
      session.pause();
      // As a stream does that had read the end before it was paused.
      session.onReadEnd();
      await settle();
      expect(recorder.lines).toEqual(before);
      session.resume();
      await settle();
      expect(recorder.lines).toEqual([...before, last]);
    }
  });

  test('FIN after a whole response is remembered: the connection is not used again', async () => {
    const { session, recorder, send, fate } = await open();
    recorder.onLine = (line) => {
      if (line.startsWith('head')) session.pause();
    };
    await send(response('hello'));
    session.onReadEnd();
    expect(recorder.lines).toEqual(['head 200 5']);
    session.resume();
    expect(recorder.lines.at(-1)).toBe('end');
    session.release();
    expect(fate).toEqual(['closed']);
  });

  test('nothing is to be flushed of what arrives, but what was reported before is', async () => {
    const { session, recorder, send } = await open();
    recorder.withFlush = true;
    recorder.onLine = (line) => {
      if (line.startsWith('head')) session.pause();
    };
    await send(response('hello').slice(0, -3));
    await send('l');
    expect(recorder.lines).toEqual(['head 200 5', 'flush']);
    session.resume();
    expect(recorder.lines).toEqual(['head 200 5', 'flush', 'body he', 'flush']);
    session.abort();
  });

  test('no deadline is begun by what is written', async () => {
    const { session, recorder, clock, wheel } = openSession();
    session.writeHead(request('POST'), 5);
    session.pause();
    session.writeBody(Buffer.from('hello'), 0, 5);
    session.end();
    expect(wheel.size).toBe(0);
    clock.advance(10_000_000);
    expect(recorder.lines).toEqual([]);
    session.resume();
    clock.advance(60_100);
    expect(recorder.error?.type).toBe('ReadTimedout');
  });

  test('no deadline runs', async () => {
    const { session, recorder, send, clock } = await open();
    await send(response('hello').slice(0, -1));
    session.pause();
    clock.advance(10_000_000);
    session.resume();
    await send('o');
    expect(recorder.lines.at(-1)).toBe('end');
  });

  test('the read deadline begins anew with resume', async () => {
    const { session, recorder, send, clock } = await open();
    await send(response('hello').slice(0, -1));
    session.pause();
    session.resume();
    clock.advance(59_000);
    expect(recorder.error).toBeUndefined();
    clock.advance(1_100);
    expect(recorder.error?.type).toBe('ReadTimedout');
  });

  test('drain goes on: it belongs to the request', async () => {
    const { session, recorder, far } = openSession({}, 1_000);
    far.pause();
    session.writeHead(request('POST'), 50_000);
    expect(session.writeBody(Buffer.alloc(50_000), 0, 50_000)).toBe(false);
    session.pause();
    far.resume();
    await settle();
    expect(recorder.lines).toEqual(['drain']);
    session.abort();
  });

  test('a broken connection is reported when something is missing', async () => {
    const { session, recorder, send, far } = await open();
    await send(response('hello').slice(0, -1));
    session.pause();
    far.destroy(new Error('reset'));
    await settle();
    expect(recorder.lines.at(-1)).toBe('error ReadError');
  });

  test.each([
    ['without a body', response(), 'head'],
    ['with a body in the same read', response('hello'), 'head'],
    ['whose last byte was reported', response('hello'), 'body'],
  ])('a broken connection does not cost a response %s that has arrived', async (_, bytes, when) => {
    const { session, recorder, send, far, fate } = await open();
    recorder.onLine = (line) => {
      if (line.startsWith(when)) session.pause();
    };
    await send(bytes);
    far.destroy(new Error('reset'));
    await settle();
    expect(recorder.lines.at(-1)).toMatch(new RegExp(`^${when}`));
    recorder.onLine = () => undefined;
    session.resume();
    expect(recorder.lines.at(-1)).toBe('end');
    session.release();
    expect(fate).toEqual(['closed']);
  });

  test('a broken connection after an interim response is reported', async () => {
    const { session, recorder, send, far } = await open();
    recorder.onLine = () => session.pause();
    await send('HTTP/1.1 103 Early Hints\r\n\r\n');
    far.destroy(new Error('reset'));
    await settle();
    expect(recorder.lines).toEqual(['head 103 0', 'error ReadError']);
  });
});

test('Http1ClientSession: a connection that was paused is watched when it is idle', async () => {
  const { session, send, sendEnd, fate } = await open();
  await send(response());
  session.pause();
  session.release();
  expect(fate).toEqual(['reusable']);
  await sendEnd();
  expect(fate).toEqual(['reusable', 'closed']);
});

test('Http1ClientSession: pause and resume between the end and the release leave it watched', async () => {
  const { session, send, sendEnd, fate } = await open();
  await send(response());
  session.pause();
  session.resume();
  session.release();
  await sendEnd();
  expect(fate).toEqual(['reusable', 'closed']);
});

test('Http1ClientSession: what is read ahead while paused is bounded by the stream', async () => {
  const { session, recorder, far } = openSession({}, 1_000);
  session.writeHead(request(), 0);
  await settle();
  far.write('HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n');
  await settle();
  session.pause();
  let accepted = 0;
  while (far.write(Buffer.alloc(1_000)) && accepted < 100) {
    accepted += 1;
    await settle();
  }
  expect(accepted).toBeLessThan(10);
  expect(recorder.body).toBe('');
  session.abort();
});
