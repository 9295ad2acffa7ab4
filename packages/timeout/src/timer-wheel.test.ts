import { FakeClock } from '@cirque/testing';
import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { Timer } from './timer.ts';
import { type Schedule, TimerWheel } from './timer-wheel.ts';

const TICK_MS = 20;
/** One turn of the ring: what is beyond is looked at more than once. */
const TURN_MS = 4_096 * TICK_MS;
const DAY_MS = 86_400_000;

function handDriven(): { clock: FakeClock; wheel: TimerWheel; pass: (ms: number, stepMs?: number) => void } {
  const clock = new FakeClock(12_345.5);
  const wheel = new TimerWheel({ clock });
  clock.onAdvance(() => wheel.advance());
  return { clock, wheel, pass: (ms, stepMs) => clock.advance(ms, stepMs) };
}

test.each([0, 0.5, 1, 19.9, 20, 21, 1_000, TURN_MS - 1, TURN_MS, TURN_MS + 1, 3 * TURN_MS, 10 * DAY_MS])(
  'TimerWheel: a delay of %d ms ends neither early nor more than a tick late',
  (delayMs) => {
    const { clock, wheel, pass } = handDriven();
    const start = clock.now();
    let expiredAt = Number.NaN;
    const timer = new Timer(() => {
      expiredAt = clock.now();
    }, wheel);
    timer.set(delayMs);
    const coarse = Math.max(0, delayMs - 100);
    pass(coarse, 5_000);
    pass(200, 1);
    expect(expiredAt - start).toBeGreaterThanOrEqual(delayMs);
    expect(expiredAt - start).toBeLessThanOrEqual(delayMs + TICK_MS + 1);
    expect([timer.armed, wheel.size]).toEqual([false, 0]);
  },
);

type Action =
  | { readonly kind: 'set'; readonly timer: number; readonly delayMs: number }
  | { readonly kind: 'clear' | 'close'; readonly timer: number }
  | { readonly kind: 'pass'; readonly ms: number };

const TIMERS = 6;
const aTimer = fc.integer({ min: 0, max: TIMERS - 1 });
const aDelay = fc.oneof(
  fc.double({ min: 0, max: 100, noNaN: true }),
  fc.integer({ min: 0, max: 3_000 }),
  fc.integer({ min: 0, max: 3 * TURN_MS }),
  fc.constantFrom(TURN_MS - TICK_MS, TURN_MS, TURN_MS + TICK_MS, DAY_MS),
);
const actions: fc.Arbitrary<Action[]> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('set' as const), timer: aTimer, delayMs: aDelay }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('clear' as const, 'close' as const), timer: aTimer }) },
    { weight: 5, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: aDelay }) },
  ),
  { maxLength: 60 },
);

test('TimerWheel does what the naive model does, whatever is set, cleared and waited for', () => {
  fc.assert(
    fc.property(actions, (list) => {
      const { clock, wheel, pass } = handDriven();
      const deadlines = new Array<number | undefined>(TIMERS).fill(undefined);
      const expirations: number[] = [];
      const timers = deadlines.map(
        (_, i) =>
          new Timer(() => {
            expect(clock.now()).toBeGreaterThanOrEqual(deadlines[i] as number);
            deadlines[i] = undefined;
            expirations.push(i);
          }, wheel),
      );
      for (const action of list) {
        if (action.kind === 'pass') {
          pass(action.ms);
        } else if (action.kind === 'set') {
          deadlines[action.timer] = clock.now() + action.delayMs;
          timers[action.timer]?.set(action.delayMs);
        } else {
          deadlines[action.timer] = undefined;
          timers[action.timer]?.[action.kind]();
        }
        // Whoever is due since a full tick has expired, whoever is armed in the model is armed here.
        for (const deadline of deadlines)
          expect((deadline ?? Number.POSITIVE_INFINITY) + TICK_MS).toBeGreaterThan(clock.now());
        expect(timers.map((timer) => timer.armed)).toEqual(deadlines.map((deadline) => deadline !== undefined));
        expect(wheel.size).toBe(deadlines.filter((deadline) => deadline !== undefined).length);
      }
    }),
    { numRuns: 500 },
  );
});

test('TimerWheel: expiry callbacks may set, clear and close any timer', () => {
  const { wheel, pass } = handDriven();
  const log: string[] = [];
  const make = (name: string, onExpire: () => void = () => undefined): Timer =>
    new Timer(() => {
      log.push(name);
      onExpire();
    }, wheel);
  const victims = [make('cleared'), make('closed'), make('postponed')] as const;
  const again: Timer = make('again', () => {
    if (log.filter((name) => name === 'again').length < 3) again.set(0);
  });
  const actor = make('actor', () => {
    victims[0].clear();
    victims[1].close();
    victims[2].set(100);
    again.set(0);
  });
  for (const victim of victims) victim.set(20);
  actor.set(20); // hangs in front of the others, so it runs first
  pass(45);
  expect(log).toEqual(['actor']);
  pass(60, TICK_MS);
  expect(log).toEqual(['actor', 'again', 'again', 'again']);
  pass(60);
  expect(log.at(-1)).toBe('postponed');
  expect(wheel.size).toBe(0);
});

test('TimerWheel: a throwing callback stops neither the others nor the wheel, and is reported', async () => {
  const { wheel, pass } = handDriven();
  const reported: unknown[] = [];
  const listeners = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  process.once('uncaughtException', (error) => reported.push(error));
  const expired: number[] = [];
  const timers = [1, 2, 3].map(
    (i) =>
      new Timer(() => {
        expired.push(i);
        if (i === 2) throw new Error('two');
      }, wheel),
  );
  for (const timer of timers) timer.set(10);
  expect(() => pass(40)).not.toThrow();
  await new Promise((resolve) => setImmediate(resolve));
  process.removeAllListeners('uncaughtException');
  for (const listener of listeners) process.on('uncaughtException', listener);
  expect(expired.toSorted()).toEqual([1, 2, 3]);
  expect(reported).toEqual([new Error('two')]);
  timers[0]?.set(10);
  pass(40);
  expect(expired.length).toBe(4);
});

test('TimerWheel.advance called by a callback does nothing', () => {
  const { wheel, pass } = handDriven();
  let depth = 0;
  let deepest = 0;
  const make = (): Timer =>
    new Timer(() => {
      depth += 1;
      deepest = Math.max(deepest, depth);
      wheel.advance();
      depth -= 1;
    }, wheel);
  for (const timer of [make(), make()]) timer.set(10);
  pass(40);
  expect([deepest, wheel.size]).toEqual([1, 0]);
});

test('TimerWheel: after a sleep of days everything due expires at once, the rest when it is due', () => {
  const { wheel, pass } = handDriven();
  const expired: number[] = [];
  const days = [0.5, 1, 2.5, 3.5, 40];
  for (const day of days) new Timer(() => expired.push(day), wheel).set(day * DAY_MS);
  const started = performance.now();
  pass(3 * DAY_MS);
  expect(expired.toSorted()).toEqual([0.5, 1, 2.5]);
  expect(performance.now() - started).toBeLessThan(1_000);
  pass(DAY_MS / 2 - 1);
  expect(expired.length).toBe(3);
  pass(TICK_MS + 1);
  expect(expired.at(-1)).toBe(3.5);
  pass(37 * DAY_MS, DAY_MS);
  expect(expired.at(-1)).toBe(40);
});

test('TimerWheel: a hundred thousand timers expire on time', () => {
  const { clock, wheel, pass } = handDriven();
  const start = clock.now();
  let late = 0;
  let count = 0;
  for (let i = 0; i < 100_000; i += 1) {
    const delayMs = (i * 7_919) % 200_000;
    new Timer(() => {
      count += 1;
      const lateMs = clock.now() - start - delayMs;
      if (lateMs < 0 || lateMs > 2 * TICK_MS) late += 1;
    }, wheel).set(delayMs);
  }
  expect(wheel.size).toBe(100_000);
  pass(200_040, TICK_MS);
  expect([count, late, wheel.size]).toEqual([100_000, 0, 0]);
});

/** Records what the wheel asks of its driver; `run` is what the runtime's timer would do. */
function recordedDriver(): { schedule: Schedule; pending: () => number[]; run: () => void; calls: () => number } {
  const scheduled: { run: () => void; delayMs: number; live: boolean }[] = [];
  return {
    schedule: (run, delayMs) => {
      const entry = { run, delayMs, live: true };
      scheduled.push(entry);
      return () => {
        entry.live = false;
      };
    },
    pending: () => scheduled.filter((entry) => entry.live).map((entry) => entry.delayMs),
    run: () => {
      for (const entry of scheduled.filter((one) => one.live)) {
        entry.live = false;
        entry.run();
      }
    },
    calls: () => scheduled.length,
  };
}

test('TimerWheel asks its driver for the next thing to do only', () => {
  const clock = new FakeClock(0);
  const driver = recordedDriver();
  const wheel = new TimerWheel({ clock, schedule: driver.schedule });
  const expired: string[] = [];
  const [long, short] = [new Timer(() => expired.push('long'), wheel), new Timer(() => expired.push('short'), wheel)];
  expect(driver.pending()).toEqual([]);
  long.set(60_000);
  expect(driver.pending()).toEqual([60_000]);
  short.set(1_000);
  expect(driver.pending()).toEqual([1_000]);
  long.set(70_000);
  short.set(1_500);
  expect(driver.pending()).toEqual([1_000]);
  clock.advance(1_000);
  driver.run();
  expect([expired, driver.pending()]).toEqual([[], [500]]);
  clock.advance(499.5);
  driver.run(); // the runtime's timers may be a little early
  expect([expired, driver.pending()]).toEqual([[], [1]]);
  clock.advance(0.5);
  driver.run();
  expect([expired, driver.pending()]).toEqual([['short'], [58_500]]);
  clock.advance(70_000);
  driver.run();
  expect([expired, driver.pending()]).toEqual([['short', 'long'], []]);
});

test('TimerWheel does not wake up for timers that are set and cleared again and again', () => {
  const clock = new FakeClock(0);
  const driver = recordedDriver();
  const wheel = new TimerWheel({ clock, schedule: driver.schedule });
  const timer = new Timer(() => undefined, wheel);
  for (let i = 0; i < 1_000; i += 1) {
    timer.set(30_000);
    timer.clear();
    clock.advance(1);
  }
  expect(driver.calls()).toBe(1);
  clock.advance(60_000);
  driver.run();
  expect(driver.pending()).toEqual([]);
});

test('TimerWheel with its own driver: no timer of the runtime when nothing is armed, an unref’d one else', () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  try {
    const wheel = new TimerWheel();
    let expired = 0;
    const timer = new Timer(() => {
      expired += 1;
    }, wheel);
    expect(vi.getTimerCount()).toBe(0);
    timer.set(50);
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(49);
    expect(expired).toBe(0);
    vi.advanceTimersByTime(TICK_MS);
    expect([expired, vi.getTimerCount()]).toEqual([1, 0]);
  } finally {
    vi.useRealTimers();
  }
});

test('TimerWheel refuses ticks and delays that make no sense', () => {
  for (const tickMs of [0, -1, 1_001, Number.NaN]) {
    expect(() => new TimerWheel({ tickMs })).toThrow(RangeError);
    expect(() => new TimerWheel({ tickMs })).toThrow(
      `tickMs of a TimerWheel must be from 1 to 1000 milliseconds, got ${tickMs}`,
    );
  }
  const { wheel } = handDriven();
  const timer = new Timer(() => undefined, wheel);
  for (const delayMs of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
    expect(() => timer.set(delayMs)).toThrow(RangeError);
    expect(() => timer.set(delayMs)).toThrow(
      `a timer's delay must be a finite number of milliseconds from 0, got ${delayMs}`,
    );
  }
  expect([timer.armed, wheel.size]).toEqual([false, 0]);
});

test('TimerWheel takes other ticks', () => {
  const clock = new FakeClock(0);
  const wheel = new TimerWheel({ clock, tickMs: 100 });
  let expired = false;
  new Timer(() => {
    expired = true;
  }, wheel).set(110);
  clock.advance(199);
  wheel.advance();
  expect(expired).toBe(false);
  clock.advance(1);
  wheel.advance();
  expect(expired).toBe(true);
});
