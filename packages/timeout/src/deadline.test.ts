import { getEventListeners } from 'node:events';
import { FakeClock } from '@cirque/testing';
import { expect, test } from 'vitest';
import { sleep, withDeadline } from './deadline.ts';
import { TimerWheel } from './timer-wheel.ts';

function handDriven(): { clock: FakeClock; wheel: TimerWheel } {
  const clock = new FakeClock();
  const wheel = new TimerWheel({ clock });
  clock.onAdvance(() => wheel.advance());
  return { clock, wheel };
}

const late = (): Error => new Error('too late');

test('withDeadline passes the result on and leaves no timer behind', async () => {
  const { wheel } = handDriven();
  expect(await withDeadline(Promise.resolve(7), 100, late, wheel)).toBe(7);
  await expect(withDeadline(Promise.reject(new Error('failed')), 100, late, wheel)).rejects.toThrow('failed');
  expect(wheel.size).toBe(0);
});

test('withDeadline rejects when time is up, and ignores what comes later', async () => {
  const { clock, wheel } = handDriven();
  const slow = Promise.withResolvers<number>();
  const result = withDeadline(slow.promise, 100, late, wheel);
  clock.advance(99);
  expect(wheel.size).toBe(1);
  clock.advance(30);
  await expect(result).rejects.toThrow('too late');
  slow.reject(new Error('nobody must see this as unhandled'));
  await new Promise((resolve) => setImmediate(resolve));
  expect(wheel.size).toBe(0);
});

test('withDeadline rejects with what onTimeout throws', async () => {
  const { clock, wheel } = handDriven();
  const never = new Promise<void>(() => undefined);
  const result = withDeadline(
    never,
    10,
    () => {
      throw new TypeError('from onTimeout');
    },
    wheel,
  );
  clock.advance(50);
  await expect(result).rejects.toThrow('from onTimeout');
});

test('withDeadline rejects a time that is none', async () => {
  const { wheel } = handDriven();
  await expect(withDeadline(Promise.resolve(1), Number.NaN, late, wheel)).rejects.toThrow(RangeError);
  expect(wheel.size).toBe(0);
});

test('sleep resolves when the time has passed', async () => {
  const { clock, wheel } = handDriven();
  let awake = false;
  const pause = sleep(100, { wheel }).then(() => {
    awake = true;
  });
  clock.advance(99);
  await Promise.resolve();
  expect(awake).toBe(false);
  clock.advance(30);
  await pause;
  expect([awake, wheel.size]).toEqual([true, 0]);
});

test('sleep ends at once when its signal aborts, leaving neither timer nor listener', async () => {
  const { clock, wheel } = handDriven();
  const controller = new AbortController();
  const { signal } = controller;
  const finished = sleep(10, { signal, wheel });
  clock.advance(40);
  await finished;
  expect(getEventListeners(signal, 'abort').length).toBe(0);
  const aborted = sleep(60_000, { signal, wheel });
  controller.abort(new Error('shutting down'));
  await expect(aborted).rejects.toThrow('shutting down');
  expect([wheel.size, getEventListeners(signal, 'abort').length]).toEqual([0, 0]);
  await expect(sleep(1, { signal, wheel })).rejects.toThrow('shutting down');
  expect(wheel.size).toBe(0);
});

test('sleep rejects a time that is none, and leaves no listener', async () => {
  const { signal } = new AbortController();
  await expect(sleep(-1, { signal })).rejects.toThrow(RangeError);
  expect(getEventListeners(signal, 'abort').length).toBe(0);
});
