/**
 * What a timer costs per request, compared with setTimeout and with the clock reading that every `set` contains.
 *
 * The sources are loaded by Node itself: through vitest's module runner every call to another file costs more.
 */
import { createRequire } from 'node:module';
import { test } from 'vitest';

const { httpDate, systemClock, Timer } = createRequire(import.meta.url)(
  '../src/index.ts',
) as typeof import('../src/index.ts');

const short = { time: 200, warmupTime: 50 };
const ROUNDS = 1_000;

/** A thousand calls per sample, so that the measuring itself does not count. */
function thousand(one: (i: number) => void): () => void {
  return () => {
    for (let i = 0; i < ROUNDS; i += 1) one(i);
  };
}

test('1,000 requests on one connection', async ({ bench }) => {
  const timer = new Timer(() => undefined);
  await bench.compare(
    bench(
      'read the clock',
      thousand(() => systemClock.now()),
    ),
    bench(
      'set',
      thousand(() => timer.set(60_000)),
    ),
    bench(
      'set and clear',
      thousand(() => {
        timer.set(60_000);
        timer.clear();
      }),
    ),
    bench(
      'set to 60 s, then to 10 s',
      thousand(() => {
        timer.set(60_000);
        timer.set(10_000);
      }),
    ),
    bench(
      'setTimeout and clearTimeout',
      thousand(() => clearTimeout(setTimeout(() => undefined, 60_000))),
    ),
    short,
  );
  timer.close();
});

test('1,000 requests on 100,000 connections', async ({ bench }) => {
  const timers = Array.from({ length: 100_000 }, () => new Timer(() => undefined));
  for (const timer of timers) timer.set(60_000);
  let next = 0;
  const someTimer = (): InstanceType<typeof Timer> => {
    next = (next + 7_919) % timers.length;
    return timers[next] as InstanceType<typeof Timer>;
  };
  await bench(
    'set',
    thousand(() => someTimer().set(60_000)),
  ).run(short);
  for (const timer of timers) timer.close();
});

test('1,000 dates', async ({ bench }) => {
  await bench(
    'httpDate',
    thousand(() => httpDate()),
  ).run(short);
});
