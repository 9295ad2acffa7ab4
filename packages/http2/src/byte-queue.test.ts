import { expect, test } from 'vitest';
import { ByteQueue } from './byte-queue.ts';

/** Takes everything out, at most `step` bytes at a time. */
function drain(queue: ByteQueue, step: number): string {
  let text = '';
  for (let front = queue.front; front !== undefined; front = queue.front) {
    const bytes = Math.min(step, front.end - front.start);
    text += front.buffer.toString('latin1', front.start, front.start + bytes);
    queue.drop(bytes);
  }
  return text;
}

test('ByteQueue gives back what was pushed, in any steps', () => {
  for (const step of [1, 7, 100_000]) {
    const queue = new ByteQueue();
    const pieces = ['a', '', 'bc', 'd'.repeat(5_000), 'e', 'f'.repeat(4_095), 'g'];
    for (const piece of pieces) queue.push(Buffer.from(`<${piece}>`), 1, 1 + piece.length);
    expect(queue.bytes).toBe(pieces.join('').length);
    expect(drain(queue, step)).toBe(pieces.join(''));
    expect(queue.bytes).toBe(0);
    queue.push(Buffer.from('again'), 0, 5);
    expect(drain(queue, step)).toBe('again');
  }
});

test('ByteQueue copies', () => {
  const queue = new ByteQueue();
  const bytes = Buffer.from('abc');
  queue.push(bytes, 0, 3);
  bytes.fill(0);
  expect(drain(queue, 9)).toBe('abc');
});

test('ByteQueue puts small pieces together', () => {
  const queue = new ByteQueue();
  for (let i = 0; i < 4_096; i++) queue.push(Buffer.from('x'), 0, 1);
  expect(queue.front?.end).toBe(4_096);
});
