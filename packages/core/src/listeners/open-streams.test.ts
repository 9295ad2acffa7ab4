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
