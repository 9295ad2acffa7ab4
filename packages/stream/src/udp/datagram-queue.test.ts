import { expect, test } from 'vitest';
import { DatagramQueue } from './datagram-queue.ts';

const empty = Buffer.alloc(0);

test('DatagramQueue gives back what it was given, in order, datagrams without bytes too', () => {
  const budget = { maxBytes: 10_000, usedBytes: 0 };
  const queue = new DatagramQueue(10_000, budget);
  for (const bytes of [Buffer.from('a'), empty, Buffer.from('b')]) expect(queue.push(bytes)).toBe(true);
  expect(queue.length).toBe(3);
  expect(queue.take().map(String)).toEqual(['a', '', 'b']);
  expect([queue.length, queue.take(), budget.usedBytes]).toEqual([0, [], 0]);
});

test('DatagramQueue has room for so many bytes', () => {
  const queue = new DatagramQueue(1_000, { maxBytes: 10_000, usedBytes: 0 });
  expect(queue.push(Buffer.alloc(900))).toBe(true);
  expect(queue.push(Buffer.alloc(100))).toBe(false);
  queue.take();
  expect(queue.push(Buffer.alloc(100))).toBe(true);
});

test('DatagramQueue counts datagrams without bytes', () => {
  const queue = new DatagramQueue(1_000, { maxBytes: 10_000, usedBytes: 0 });
  let taken = 0;
  while (queue.push(empty)) taken += 1;
  expect(taken).toBe(15);
});

test('DatagramQueue shares a budget with others', () => {
  const budget = { maxBytes: 1_000, usedBytes: 0 };
  const [one, other] = [new DatagramQueue(800, budget), new DatagramQueue(800, budget)];
  expect(one.push(Buffer.alloc(600))).toBe(true);
  expect(other.push(Buffer.alloc(600))).toBe(false);
  one.take();
  expect(other.push(Buffer.alloc(600))).toBe(true);
});
