import { expect, test } from 'vitest';
import { ReceiveWindow } from './receive-window.ts';

test('ReceiveWindow allows what was announced and no byte more', () => {
  const window = new ReceiveWindow(10);
  expect(window.take(10)).toBe(true);
  expect(window.available).toBe(0);
  expect(window.take(1)).toBe(false);
});

test('ReceiveWindow announces consumed bytes from half of its size on', () => {
  const window = new ReceiveWindow(10);
  window.take(10);
  expect([window.consume(4), window.consume(1), window.consume(5)]).toEqual([0, 5, 5]);
  expect(window.available).toBe(10);
});

test('ReceiveWindow may be resized below what is on its way', () => {
  const window = new ReceiveWindow(10);
  window.take(8);
  window.resize(5);
  expect(window.available).toBe(-3);
  expect(window.consume(8)).toBe(8);
  expect(window.available).toBe(5);
});
