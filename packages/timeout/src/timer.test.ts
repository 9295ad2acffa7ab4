import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { FakeClock } from '@cirque/testing';
import { expect, test } from 'vitest';
import { Timer } from './timer.ts';
import { TimerWheel } from './timer-wheel.ts';

function handDriven(): { clock: FakeClock; wheel: TimerWheel } {
  const clock = new FakeClock();
  const wheel = new TimerWheel({ clock });
  clock.onAdvance(() => wheel.advance());
  return { clock, wheel };
}

test('Timer tells whether it is armed and for how long', () => {
  const { clock, wheel } = handDriven();
  const timer = new Timer(() => undefined, wheel);
  expect([timer.armed, timer.remainingMs]).toEqual([false, 0]);
  timer.set(100);
  expect([timer.armed, timer.remainingMs]).toEqual([true, 100]);
  clock.advance(30);
  expect(timer.remainingMs).toBe(70);
  timer.clear();
  expect([timer.armed, timer.remainingMs]).toEqual([false, 0]);
});

test('Timer.remainingMs is 0, not less, when the wheel has not come round yet', () => {
  const clock = new FakeClock();
  const timer = new Timer(() => undefined, new TimerWheel({ clock }));
  timer.set(10);
  clock.advance(50);
  expect([timer.armed, timer.remainingMs]).toEqual([true, 0]);
});

test('Timer is not armed while it expires, so that it can set itself again', () => {
  const { clock, wheel } = handDriven();
  const armed: boolean[] = [];
  const timer: Timer = new Timer(() => {
    armed.push(timer.armed);
    if (armed.length < 3) timer.set(100);
  }, wheel);
  timer.set(100);
  clock.advance(500, 20);
  expect(armed).toEqual([false, false, false]);
});

test('Timer.set replaces the deadline, in both directions', () => {
  const { clock, wheel } = handDriven();
  let expiredAt = 0;
  const timer = new Timer(() => {
    expiredAt = clock.now();
  }, wheel);
  const start = clock.now();
  timer.set(1_000);
  timer.set(5_000);
  timer.set(200);
  timer.set(300);
  clock.advance(10_000, 1);
  expect(expiredAt - start).toBeGreaterThanOrEqual(300);
  expect(expiredAt - start).toBeLessThanOrEqual(321);
});

test('Timer cleared or closed does not expire, and can be set again', () => {
  const { clock, wheel } = handDriven();
  for (const end of ['clear', 'close'] as const) {
    let count = 0;
    const timer = new Timer(() => {
      count += 1;
    }, wheel);
    timer[end]();
    timer.set(50);
    timer[end]();
    timer[end]();
    clock.advance(200, 20);
    expect([count, wheel.size]).toEqual([0, 0]);
    timer.set(50);
    clock.advance(200, 20);
    expect(count).toBe(1);
  }
});

test('Timer that was cleared holds its owner in memory no longer, although its node may still hang in the wheel', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const { wheel } = handDriven();
  const makeOwner = (end: 'clear' | 'close' | 'keep'): WeakRef<object> => {
    const owner = { bytes: new Uint8Array(1_000) };
    const timer = new Timer(() => owner.bytes.fill(1), wheel);
    timer.set(86_400_000);
    if (end !== 'keep') timer[end]();
    return new WeakRef(owner);
  };
  const refs = [makeOwner('clear'), makeOwner('close'), makeOwner('keep')];
  // A WeakRef made in this turn keeps its target until the turn is over.
  await new Promise((resolve) => setImmediate(resolve));
  collect();
  expect(refs.map((ref) => ref.deref() !== undefined)).toEqual([false, false, true]);
  expect(wheel.size).toBe(1);
});
