import { RequestHeader } from '@cirque/http';
import { describe, expect, test } from 'vitest';
import { BodyFeed, type ByteSource } from './body-feed.ts';
import { VirtualServerSession } from './virtual-server-session.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function feeding(source: ByteSource): { session: VirtualServerSession; events: string[]; feed: BodyFeed } {
  const events: string[] = [];
  let feed: BodyFeed | undefined;
  const session = new VirtualServerSession({
    header: new RequestHeader('POST', '/'),
    bodyLength: undefined,
    sink: {
      onHead() {},
      onBody: () => true,
      onEnd() {},
      onAbort() {},
      onPause: () => feed?.pause(),
      onResume: () => feed?.resume(),
      onFinish: () => feed?.stop(),
    },
  });
  session.handler = {
    onRequestBody: (buffer, start, end) => events.push(buffer.toString('utf8', start, end)),
    onRequestEnd: () => events.push('end'),
    onDownstreamDrain() {},
    onDownstreamError: (error) => events.push(`error ${error.type}`),
  };
  feed = new BodyFeed(session, source, (error) => events.push(`told ${error.type}`));
  return { session, events, feed };
}

/** Counts how far it was read. */
async function* letters(log: string[], fail = false): AsyncGenerator<Uint8Array> {
  try {
    for (const letter of 'abc') {
      log.push(letter);
      yield Buffer.from(letter);
    }
    if (fail) throw new Error('broken');
  } finally {
    log.push('closed');
  }
}

describe('BodyFeed', () => {
  test('feeds piece by piece, then the end', async () => {
    const read: string[] = [];
    const { events, feed } = feeding(letters(read));
    feed.start();
    await turn();
    expect(events).toEqual(['a', 'b', 'c', 'end']);
  });

  test('takes plain iterables', async () => {
    const { events, feed } = feeding([new Uint8Array([0x61]), Buffer.from('b')]);
    feed.start();
    await turn();
    expect(events).toEqual(['a', 'b', 'end']);
  });

  test('reads nothing while the application wants nothing', async () => {
    const read: string[] = [];
    const { session, events, feed } = feeding(letters(read));
    session.pause();
    feed.start();
    await turn();
    expect(read).toEqual([]);
    session.resume();
    await turn();
    expect(events).toEqual(['a', 'b', 'c', 'end']);
  });

  test('gives the source up when the request is over', async () => {
    const read: string[] = [];
    const { session, feed } = feeding(letters(read));
    const { handler } = session;
    session.handler = { ...handler, onRequestBody: () => session.pause() };
    feed.start();
    await turn();
    session.finish();
    await turn();
    expect(read).toEqual(['a', 'closed']);
  });

  test('a source that fails is a client that has gone', async () => {
    const { session, events, feed } = feeding(letters([], true));
    feed.start();
    await turn();
    expect(events).toEqual(['a', 'b', 'c', 'error ReadError', 'told ReadError']);
    expect(session.writable).toBe(false);
  });

  test('a piece that is no bytes is an error of the source', async () => {
    const { events, feed } = feeding([1 as unknown as Uint8Array]);
    feed.start();
    await turn();
    expect(events).toEqual(['error ReadError', 'told ReadError']);
  });

  test('what cannot be read is refused at once', () => {
    expect(() => feeding(7 as unknown as ByteSource)).toThrow('a body is number: expected');
  });
});
