import { TimerWheel } from '@cirque/timeout';
import { expect, test } from 'vitest';
import { awaitPhase } from './pending-phase.ts';

function waiting(answer: PromiseLike<unknown>, timeoutMs: number): { seen: string[]; at(ms: number): void } {
  let now = 0;
  const wheel = new TimerWheel({ clock: { now: () => now }, tickMs: 1 });
  const seen: string[] = [];
  awaitPhase('upstreamPeer', answer, timeoutMs, wheel, {
    onAnswer: (value) => seen.push(`answer ${String(value)}`),
    onError: (error) => seen.push(String(error)),
  });
  return {
    seen,
    at(ms) {
      now = ms;
      wheel.advance();
    },
  };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('awaitPhase tells the answer, or the rejection', async () => {
  const one = waiting(Promise.resolve(7), 100);
  const other = waiting(Promise.reject(new Error('no')), 100);
  await turn();
  one.at(200);
  expect([one.seen, other.seen]).toEqual([['answer 7'], ['Error: no']]);
});

test('awaitPhase gives up in time, and ignores what comes later', async () => {
  const late = Promise.withResolvers<number>();
  const { seen, at } = waiting(late.promise, 100);
  at(99);
  expect(seen).toEqual([]);
  at(100);
  late.resolve(1);
  await turn();
  expect(seen).toEqual(['Internal InternalError context: upstreamPeer did not settle within hookTimeoutMs (100)']);
});

test('awaitPhase waits for ever with 0', async () => {
  const late = Promise.withResolvers<number>();
  const { seen, at } = waiting(late.promise, 0);
  at(10_000_000);
  expect(seen).toEqual([]);
  late.resolve(1);
  await turn();
  expect(seen).toEqual(['answer 1']);
});
