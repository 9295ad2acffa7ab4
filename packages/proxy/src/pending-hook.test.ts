import { FakeClock } from '@cirque/testing';
import { TimerWheel } from '@cirque/timeout';
import { expect, test } from 'vitest';
import { PendingHook } from './pending-hook.ts';

function pend(answer: PromiseLike<unknown>, timeoutMs = 1_000) {
  const clock = new FakeClock();
  const wheel = new TimerWheel({ clock, tickMs: 1 });
  clock.onAdvance(() => wheel.advance());
  const seen: string[] = [];
  const pending = new PendingHook(
    'requestFilter',
    answer,
    timeoutMs,
    wheel,
    (value) => seen.push(`value ${String(value)}`),
    (error) => seen.push(`error ${(error as Error).message}`),
    (value) => seen.push(`late ${String(value)}`),
  );
  return { clock, wheel, seen, pending };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('PendingHook reports a value or an error, once, and leaves no timer', async () => {
  const value = pend(Promise.resolve(1));
  const error = pend(Promise.reject(new Error('boom')));
  await settled();
  value.clock.advance(2_000);
  expect([value.seen, error.seen]).toEqual([['value 1'], ['error boom']]);
  expect([value.wheel.size, error.wheel.size]).toEqual([0, 0]);
});

test('PendingHook gives up after its time, and names the phase', async () => {
  const { promise, resolve } = Promise.withResolvers<string>();
  const { clock, seen } = pend(promise);
  clock.advance(999);
  expect(seen).toEqual([]);
  clock.advance(1);
  expect(seen).toEqual(['error InternalError: requestFilter did not settle within hookTimeoutMs (1000)']);
  resolve('x');
  await settled();
  expect(seen.slice(1)).toEqual(['late x']);
});

test('PendingHook waits for ever with a time of 0', () => {
  const { clock, seen, wheel, pending } = pend(new Promise(() => {}), 0);
  clock.advance(1e9);
  expect([seen, wheel.size]).toEqual([[], 0]);
  pending.cancel();
});

test('PendingHook that was cancelled reports nothing but the value that somebody has to give back', async () => {
  const value = pend(Promise.resolve('session'));
  const error = pend(Promise.reject(new Error('boom')));
  value.pending.cancel();
  error.pending.cancel();
  await settled();
  expect([value.seen, error.seen, value.wheel.size]).toEqual([['late session'], [], 0]);
});

test('PendingHook makes an error of what fails because of the answer', async () => {
  const seen: unknown[] = [];
  const broken = (): never => {
    throw new Error('cannot use it');
  };
  new PendingHook('logging', Promise.resolve(1), 0, undefined, broken, (error) => seen.push(String(error)));
  await settled();
  expect(seen).toEqual(['Error: cannot use it']);
});
