import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { watchHeap } from './heap-guard.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

test('watchHeap calls once, when the heap stays too full', () => {
  const full = vi.fn();
  const parts = [0.5, 0.9, 0.5, 0.9, 0.95];
  watchHeap(full, () => parts.shift() ?? 1);
  vi.advanceTimersByTime(2_000);
  expect(full).not.toHaveBeenCalled();
  vi.advanceTimersByTime(500);
  expect(full).toHaveBeenCalledOnce();
  vi.advanceTimersByTime(60_000);
  expect(full).toHaveBeenCalledOnce();
});

test('watchHeap can be ended', () => {
  const full = vi.fn();
  watchHeap(full, () => 1)();
  vi.advanceTimersByTime(10_000);
  expect(full).not.toHaveBeenCalled();
});

test('watchHeap finds the heap of a test far from full', () => {
  const full = vi.fn();
  const stop = watchHeap(full);
  vi.advanceTimersByTime(3_000);
  stop();
  expect(full).not.toHaveBeenCalled();
});
