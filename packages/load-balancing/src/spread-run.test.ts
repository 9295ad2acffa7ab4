import { FakeClock } from '@cirque/testing';
import { TimerWheel } from '@cirque/timeout';
import { describe, expect, it } from 'vitest';
import { spreadRun } from './spread-run.ts';

function setUp(): { clock: FakeClock; time: { clock: FakeClock; wheel: TimerWheel } } {
  const clock = new FakeClock();
  const wheel = new TimerWheel({ clock });
  clock.onAdvance(() => wheel.advance());
  return { clock, time: { clock, wheel } };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Jobs that run until they are told to end. */
class Jobs {
  readonly begun: number[] = [];
  readonly #ends = new Map<number, () => void>();

  readonly run = (item: number): Promise<void> => {
    this.begun.push(item);
    return new Promise((resolve) => this.#ends.set(item, resolve));
  };

  end(item: number): void {
    this.#ends.get(item)?.();
  }
}

const base = { signal: undefined, random: () => 0, spreadMs: 0, maxInFlight: 64 };

describe('spreadRun', () => {
  it('spreadRun of nothing ends at once', async () => {
    await spreadRun([], () => Promise.resolve(), { ...base, time: setUp().time });
  });

  it('spreadRun begins everything in order when there is no spread', async () => {
    const jobs = new Jobs();
    const round = spreadRun([3, 1, 2], jobs.run, { ...base, time: setUp().time });
    expect(jobs.begun).toEqual([3, 1, 2]);
    for (const item of jobs.begun) jobs.end(item);
    await round;
  });

  it('spreadRun never has more jobs under way than it may', async () => {
    const jobs = new Jobs();
    const round = spreadRun([0, 1, 2, 3, 4], jobs.run, { ...base, time: setUp().time, maxInFlight: 2 });
    expect(jobs.begun).toEqual([0, 1]);
    jobs.end(1);
    await turn();
    expect(jobs.begun).toEqual([0, 1, 2]);
    for (const item of [0, 2, 3, 4]) {
      jobs.end(item);
      await turn();
    }
    await round;
    expect(jobs.begun).toEqual([0, 1, 2, 3, 4]);
  });

  it('spreadRun puts each job off by its own random time', async () => {
    const { clock, time } = setUp();
    const jobs = new Jobs();
    const delays = [0.9, 0.1, 0.5];
    const round = spreadRun([0, 1, 2], jobs.run, { ...base, time, spreadMs: 1_000, random: () => delays.shift() ?? 0 });
    expect(jobs.begun).toEqual([]);
    clock.advance(120);
    expect(jobs.begun).toEqual([1]);
    clock.advance(400);
    expect(jobs.begun).toEqual([1, 2]);
    clock.advance(400);
    expect(jobs.begun).toEqual([1, 2, 0]);
    for (const item of jobs.begun) jobs.end(item);
    await round;
    expect(time.wheel.size).toBe(0);
  });

  it('spreadRun begins each of many jobs once, in the order of their delays', async () => {
    const { clock, time } = setUp();
    const delays = Array.from({ length: 3_000 }, (_, i) => ((i * 7_919) % 3_000) / 3_000);
    const begun: number[] = [];
    const job = async (item: number): Promise<void> => void begun.push(item);
    let drawn = 0;
    const random = (): number => delays[drawn++] ?? 0;
    const round = spreadRun([...delays.keys()], job, { ...base, time, spreadMs: 1_000, random });
    while (begun.length < 3_000) {
      clock.advance(20);
      await turn();
    }
    await round;
    expect(begun).toEqual([...delays.keys()].sort((a, b) => (delays[a] ?? 0) - (delays[b] ?? 0)));
  });

  it('spreadRun begins nothing more after an abort, and ends with the jobs under way', async () => {
    const { clock, time } = setUp();
    const jobs = new Jobs();
    const controller = new AbortController();
    let ended = false;
    const delays = [0, 0.5];
    const options = { ...base, time, spreadMs: 1_000, signal: controller.signal, random: () => delays.shift() ?? 0 };
    const round = spreadRun([0, 1], jobs.run, options).then(() => (ended = true));
    controller.abort();
    await turn();
    expect(ended).toBe(false);
    expect(time.wheel.size).toBe(0);
    jobs.end(0);
    await round;
    clock.advance(2_000);
    expect(jobs.begun).toEqual([0]);
  });
});
