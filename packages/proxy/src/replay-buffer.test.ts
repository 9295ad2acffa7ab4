import { expect, test } from 'vitest';
import { REPLAY_BUFFER_BYTES, ReplayBuffer } from './replay-buffer.ts';

test('ReplayBuffer remembers copies of ranges, in order', () => {
  const replay = new ReplayBuffer();
  const source = Buffer.from('0123456789');
  replay.record(source, 2, 4);
  replay.record(source, 7, 9);
  source.fill(0);
  expect(replay.bytes.toString()).toBe('2378');
  replay.record(Buffer.from('x'), 0, 1);
  expect(replay.bytes.toString()).toBe('2378x');
  expect(new ReplayBuffer().bytes).toHaveLength(0);
});

test('ReplayBuffer holds 64 KiB, and forgets everything with the first byte more', () => {
  const replay = new ReplayBuffer();
  const half = Buffer.alloc(REPLAY_BUFFER_BYTES / 2);
  replay.record(half, 0, half.length);
  replay.record(half, 0, half.length);
  expect([replay.overflowed, replay.bytes.length]).toEqual([false, 65_536]);
  replay.record(half, 0, 1);
  expect([replay.overflowed, replay.bytes.length]).toEqual([true, 0]);
  replay.record(half, 0, 1);
  expect(replay.bytes).toHaveLength(0);
});

test('ReplayBuffer.holding keeps a body of any size', () => {
  const body = Buffer.alloc(200_000, 'x');
  const replay = ReplayBuffer.holding(body);
  expect([replay.overflowed, replay.bytes.equals(body)]).toEqual([false, true]);
  expect(ReplayBuffer.holding(Buffer.alloc(0)).bytes).toHaveLength(0);
});
