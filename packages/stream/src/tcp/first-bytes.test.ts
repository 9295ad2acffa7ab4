import { expect, test } from 'vitest';
import { FirstBytes } from './first-bytes.ts';

test('FirstBytes keeps a copy of everything in order', () => {
  const first = new FirstBytes();
  const shared = Buffer.from('abcdef');
  first.add(shared, 3);
  shared.fill('x');
  for (let at = 0; at < 200; at += 1) first.add(Buffer.from([at]), 1);
  expect(first.length).toBe(203);
  expect(first.bytes.subarray(0, 3).toString()).toBe('abc');
  expect([...first.bytes.subarray(3)]).toEqual(Array.from({ length: 200 }, (_, at) => at));
});

test('FirstBytes gives all of it away once', () => {
  const first = new FirstBytes();
  expect(first.take()).toBeUndefined();
  first.add(Buffer.from('abc'), 3);
  expect(first.take()?.toString()).toBe('abc');
  expect([first.length, first.take()]).toEqual([0, undefined]);
});
