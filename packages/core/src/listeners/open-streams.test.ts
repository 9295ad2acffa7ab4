import { duplexPair } from '@cirque/testing';
import { Stream } from '@cirque/transport';
import { expect, test } from 'vitest';
import { OpenStreams } from './open-streams.ts';

function open(streams: OpenStreams): Stream {
  const stream = new Stream(duplexPair()[0], 'Downstream');
  streams.add(stream);
  return stream;
}

test('OpenStreams forgets a stream when it closes', async () => {
  const streams = new OpenStreams();
  const [first, second] = [open(streams), open(streams)];
  expect(streams.size).toBe(2);
  first.destroy();
  await new Promise((resolve) => setImmediate(resolve));
  expect(streams.all()).toEqual([second]);
  second.destroy();
  await streams.empty();
  expect(streams.size).toBe(0);
});

test('OpenStreams is empty at once when nothing is open', async () => {
  await new OpenStreams().empty();
});

test('OpenStreams destroys all, and can be filled and awaited again', async () => {
  const streams = new OpenStreams();
  for (let round = 0; round < 2; round += 1) {
    const opened = [open(streams), open(streams)];
    const empty = streams.empty();
    streams.destroyAll();
    await empty;
    expect(opened.map((stream) => stream.destroyed)).toEqual([true, true]);
  }
});

test('OpenStreams counts the stream that replaces another, until that one closes', async () => {
  const streams = new OpenStreams();
  const first = open(streams);
  const next = new Stream(duplexPair()[0], 'Downstream');
  streams.replace(first, next);
  expect(streams.all()).toEqual([next]);
  first.destroy();
  await new Promise((resolve) => setImmediate(resolve));
  expect(streams.size).toBe(1);
  next.destroy();
  await streams.empty();
  expect(first.duplex.listenerCount('close')).toBe(1);
});

test('OpenStreams keeps the right ones, in whichever order streams come and go', async () => {
  const streams = new OpenStreams();
  const opened = new Set<Stream>();
  let random = 1;
  for (let step = 0; step < 200; step += 1) {
    random = (random * 48_271) % 2_147_483_647;
    const [...now] = opened;
    const leaving = now[random % 30];
    if (leaving === undefined) {
      opened.add(open(streams));
    } else {
      opened.delete(leaving);
      leaving.destroy();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(new Set(streams.all())).toEqual(opened);
    expect(streams.size).toBe(opened.size);
  }
  streams.destroyAll();
  await streams.empty();
});
