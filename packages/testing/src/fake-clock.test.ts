import { expect, test } from 'vitest';
import { FakeClock } from './fake-clock.ts';

test('FakeClock stands still until it is advanced', () => {
  const clock = new FakeClock(500);
  expect(clock.now()).toBe(500);
  clock.advance(20.5);
  expect(clock.now()).toBe(520.5);
  clock.advance(0);
  expect(clock.now()).toBe(520.5);
});

test('FakeClock tells its listeners after each step', () => {
  const clock = new FakeClock(0);
  const seen: number[] = [];
  const stop = clock.onAdvance(() => seen.push(clock.now()));
  clock.advance(25, 10);
  stop();
  clock.advance(10);
  expect(seen).toEqual([10, 20, 25]);
});

test('FakeClock refuses to go back, and steps that lead nowhere', () => {
  const clock = new FakeClock();
  expect(() => clock.advance(-1)).toThrow(RangeError);
  expect(() => clock.advance(Number.NaN)).toThrow(RangeError);
  expect(() => clock.advance(1, 0)).toThrow('in steps above 0 ms, got 1 and 0');
});
