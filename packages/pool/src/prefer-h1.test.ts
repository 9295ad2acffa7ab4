import { FakeClock } from '@cirque/testing';
import { TimerWheel } from '@cirque/timeout';
import { expect, test } from 'vitest';
import { PreferH1 } from './prefer-h1.ts';

function remember(): { preferH1: PreferH1; clock: FakeClock; wheel: TimerWheel } {
  const clock = new FakeClock();
  const wheel = new TimerWheel({ clock });
  clock.onAdvance(() => wheel.advance());
  return { preferH1: new PreferH1(wheel), clock, wheel };
}

test('PreferH1: a key is remembered for its time, counted from the last mention', () => {
  const { preferH1, clock, wheel } = remember();
  preferH1.add('a', 1_000);
  clock.advance(900);
  preferH1.add('a', 1_000);
  clock.advance(900);
  expect(preferH1.has('a')).toBe(true);
  expect(preferH1.has('b')).toBe(false);
  clock.advance(140);
  expect(preferH1.has('a')).toBe(false);
  expect(wheel.size).toBe(0);
});

test('PreferH1: no time is no memory', () => {
  const { preferH1 } = remember();
  preferH1.add('a', 1_000);
  preferH1.add('a', 0);
  expect(preferH1.has('a')).toBe(false);
});

test('PreferH1: keeps a thousand keys, the oldest goes', () => {
  const { preferH1, wheel } = remember();
  for (let i = 0; i <= 1_000; i += 1) preferH1.add(String(i), 1_000);
  expect([preferH1.has('0'), preferH1.has('1'), preferH1.has('1000')]).toEqual([false, true, true]);
  expect(wheel.size).toBe(1_000);
  preferH1.clear();
  expect(wheel.size).toBe(0);
  expect(preferH1.has('1')).toBe(false);
});
