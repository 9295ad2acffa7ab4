import { FakeClock } from '@cirque/testing';
import { TimerWheel } from '@cirque/timeout';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PassiveHealth } from './passive-health.ts';
import { type PassiveHealthOptions, resolvePassiveHealth } from './passive-health-options.ts';

/** Passive health with hand-driven time, and a record of what it says. */
class Scene {
  readonly clock = new FakeClock(0);
  readonly wheel = new TimerWheel({ clock: this.clock, tickMs: 1 });
  readonly said: string[] = [];
  readonly health: PassiveHealth;
  readonly total: number;
  onReturned: (address: string) => void = () => undefined;

  constructor(options: PassiveHealthOptions, total = 10) {
    this.clock.onAdvance(() => this.wheel.advance());
    this.total = total;
    this.health = new PassiveHealth(options, {
      time: { clock: this.clock, wheel: this.wheel },
      ejected: (address, untilMs, why) => void this.said.push(`-${address} until ${untilMs}: ${why}`),
      returned: (address) => {
        this.said.push(`+${address}`);
        this.onReturned(address);
      },
    });
  }

  /** Outcomes written as + and -. */
  report(address: string, outcomes: string): void {
    for (const outcome of outcomes) this.health.report(address, outcome === '+', this.total);
  }
}

describe('PassiveHealth', () => {
  it('PassiveHealth ejects after failures in a row, and takes back when the time is over', () => {
    const scene = new Scene({ consecutiveFailures: 3, baseEjectionMs: 1_000 });
    scene.report('a', '--+--');
    expect(scene.said).toEqual([]);
    expect(scene.wheel.size).toBe(0);
    scene.report('a', '-');
    expect(scene.said).toEqual(['-a until 1000: 3 failures in a row']);
    expect(scene.health.isEjected('a')).toBe(true);
    scene.clock.advance(999);
    expect(scene.health.isEjected('a')).toBe(true);
    scene.clock.advance(1);
    expect(scene.said.slice(1)).toEqual(['+a']);
    expect([scene.health.isEjected('a'), scene.wheel.size]).toEqual([false, 0]);
    scene.report('a', '--');
    expect(scene.said).toHaveLength(2);
  });

  it('PassiveHealth ejects for an error rate, from the minimum volume on, within one interval', () => {
    const scene = new Scene({ consecutiveFailures: 0, errorRate: 0.5, minimumVolume: 10, intervalMs: 1_000 });
    scene.report('a', '-'.repeat(9));
    scene.clock.advance(1_000);
    scene.report('a', '+-+-+-+-+');
    expect(scene.said).toEqual([]);
    scene.report('a', '-');
    expect(scene.said).toEqual(['-a until 31000: 5 of 10 failed within 1000 ms']);
  });

  it('PassiveHealth leaves a backend alone below the rate, and judges it at failures only', () => {
    const scene = new Scene({ consecutiveFailures: 0, errorRate: 0.3, minimumVolume: 10 });
    scene.report('a', `--${'+'.repeat(20)}`);
    scene.report('a', '-----');
    expect(scene.said).toEqual([]);
    scene.report('b', '+'.repeat(7));
    scene.report('b', '---');
    expect(scene.said).toEqual(['-b until 30000: 3 of 10 failed within 10000 ms']);
  });

  it('PassiveHealth begins an interval with its first outcome', () => {
    const scene = new Scene({ consecutiveFailures: 0, errorRate: 1, minimumVolume: 4, intervalMs: 1_000 });
    scene.clock.advance(900);
    scene.report('a', '--');
    scene.clock.advance(999);
    scene.report('a', '--');
    expect(scene.said).toHaveLength(1);
  });

  it('PassiveHealth ejects for longer each time in a row, up to the maximum', () => {
    const scene = new Scene({ consecutiveFailures: 1, baseEjectionMs: 1_000, maxEjectionMs: 2_500 });
    const lengths: number[] = [];
    for (let i = 0; i < 4; i += 1) {
      const began = scene.clock.now();
      scene.report('a', '-');
      scene.onReturned = () => lengths.push(scene.clock.now() - began);
      scene.clock.advance(3_000, 1);
    }
    expect(lengths).toEqual([1_000, 2_000, 2_500, 2_500]);
    expect(scene.health.ejections('a')).toBe(4);
  });

  it('PassiveHealth forgives one ejection for each clean interval', () => {
    const scene = new Scene({ consecutiveFailures: 1, baseEjectionMs: 100, intervalMs: 1_000 });
    for (let i = 0; i < 3; i += 1) {
      scene.report('a', '-');
      scene.clock.advance(300);
    }
    // Back since 0 ms: the third ejection was 300 ms long.
    expect(scene.health.ejections('a')).toBe(3);
    scene.clock.advance(999);
    expect(scene.health.ejections('a')).toBe(3);
    scene.clock.advance(1);
    expect(scene.health.ejections('a')).toBe(2);
    scene.report('a', '-');
    expect(scene.health.ejections('a')).toBe(3);
    scene.clock.advance(300 + 1_000 * 5, 100);
    expect(scene.health.ejections('a')).toBe(0);
    scene.report('a', '-');
    expect(scene.said.at(-1)).toBe(`-a until ${scene.clock.now() + 100}: 1 failures in a row`);
  });

  it.each([
    [1, 1, 0],
    [2, 0, 1],
    [5, 0.1, 1],
    [20, 0.1, 2],
    [30, 0.1, 3],
    [100, 0.29, 29],
    [10, 1, 10],
    [10, 0, 1],
  ])('PassiveHealth ejects of %i backends, with a share of %d, at most %i', (total, maxEjectedShare, most) => {
    const scene = new Scene({ consecutiveFailures: 1, maxEjectedShare }, total);
    for (let i = 0; i < total; i += 1) scene.report(`b${i}`, '--');
    expect(scene.health.ejectedCount).toBe(most);
  });

  it('PassiveHealth ejects who goes on failing, once another one is back', () => {
    const scene = new Scene({ consecutiveFailures: 2, baseEjectionMs: 1_000 }, 3);
    scene.report('a', '--');
    scene.report('b', '-----');
    expect(scene.health.isEjected('b')).toBe(false);
    scene.clock.advance(1_000);
    scene.report('b', '-');
    expect(scene.said.slice(1)).toEqual(['+a', '-b until 2000: 6 failures in a row']);
  });

  it('PassiveHealth counts nothing of a backend that is out', () => {
    const scene = new Scene({ consecutiveFailures: 2, baseEjectionMs: 1_000 });
    scene.report('a', '-------');
    scene.clock.advance(1_000);
    scene.report('a', '-');
    expect(scene.health.isEjected('a')).toBe(false);
  });

  it('PassiveHealth takes several back with one timer, each in its time', () => {
    const scene = new Scene({ consecutiveFailures: 1, baseEjectionMs: 1_000, maxEjectedShare: 1 });
    for (const address of ['a', 'b', 'c']) {
      scene.report(address, '-');
      scene.clock.advance(100);
    }
    expect(scene.wheel.size).toBe(1);
    const times: [string, number][] = [];
    scene.onReturned = (address) => times.push([address, scene.clock.now()]);
    scene.clock.advance(2_000, 1);
    expect(times).toEqual([
      ['a', 1_000],
      ['b', 1_100],
      ['c', 1_200],
    ]);
    expect(scene.wheel.size).toBe(0);
  });

  it('PassiveHealth.forget makes a backend a stranger, without calling it back', () => {
    const scene = new Scene({ consecutiveFailures: 1, baseEjectionMs: 1_000 });
    scene.report('a', '-');
    scene.health.forget('a');
    expect([scene.health.isEjected('a'), scene.health.ejections('a'), scene.wheel.size]).toEqual([false, 0, 0]);
    scene.clock.advance(5_000);
    expect(scene.said).toHaveLength(1);
    scene.report('a', '-');
    expect(scene.said[1]).toBe('-a until 6000: 1 failures in a row');
  });

  it('PassiveHealth does not call back who was forgotten by the listener of another', () => {
    const scene = new Scene({ consecutiveFailures: 1, baseEjectionMs: 1_000, maxEjectedShare: 1 });
    for (const address of ['a', 'b', 'c']) scene.report(address, '-');
    scene.onReturned = (address) => {
      if (address === 'a') scene.health.forget('b');
    };
    scene.clock.advance(1_000);
    expect(scene.said.slice(3)).toEqual(['+a', '+c']);
  });

  it('PassiveHealth.close leaves no timer and says nothing any more', () => {
    const scene = new Scene({ consecutiveFailures: 1 });
    scene.report('a', '-');
    scene.health.close();
    expect(scene.wheel.size).toBe(0);
    scene.report('b', '-');
    scene.clock.advance(1_000_000);
    expect(scene.said).toHaveLength(1);
  });

  it.each<[PassiveHealthOptions, string]>([
    [{ consecutiveFailures: -1 }, 'consecutiveFailures must be an integer from 0, got -1'],
    [{ consecutiveFailures: 0 }, 'consecutiveFailures and errorRate are both 0: nothing would ever eject a backend'],
    [{ errorRate: 50 }, 'errorRate must be a number from 0 to 1, got 50'],
    [{ minimumVolume: 0 }, 'minimumVolume must be an integer from 1, got 0'],
    [{ intervalMs: 0.5 }, 'intervalMs must be an integer from 1, got 0.5'],
    [{ maxEjectionMs: 10 }, 'maxEjectionMs must be at least baseEjectionMs (30000), got 10'],
    [{ maxEjectedShare: 10 }, 'maxEjectedShare must be a number from 0 to 1, got 10'],
  ])('PassiveHealth refuses %j', (options, message) => {
    expect(() => new Scene(options)).toThrow(new RangeError(message));
  });

  it('PassiveHealth has the defaults of its documentation', () => {
    expect(resolvePassiveHealth({})).toEqual({
      consecutiveFailures: 5,
      errorRate: 0,
      minimumVolume: 20,
      intervalMs: 10_000,
      baseEjectionMs: 30_000,
      maxEjectionMs: 300_000,
      maxEjectedShare: 0.1,
    });
    expect(resolvePassiveHealth({ baseEjectionMs: 600_000 }).maxEjectionMs).toBe(600_000);
  });
});

/** The rules once more, as plainly as possible: the whole history is kept and gone through each time. */
class NaiveModel {
  readonly #options: ReturnType<typeof resolvePassiveHealth>;
  readonly #outcomes = new Map<string, { at: number; ok: boolean }[]>();
  readonly #out = new Map<string, number>();
  readonly #marks = new Map<string, { level: number; since: number }>();

  constructor(options: PassiveHealthOptions) {
    this.#options = resolvePassiveHealth(options);
  }

  get out(): string[] {
    return [...this.#out.keys()].sort();
  }

  tick(now: number): void {
    for (const [address, until] of this.#out) {
      if (until > now) continue;
      this.#out.delete(address);
      this.#marks.set(address, { level: this.#marks.get(address)?.level ?? 0, since: now });
    }
  }

  level(address: string, now: number): number {
    const mark = this.#marks.get(address);
    if (mark === undefined) return 0;
    if (this.#out.has(address)) return mark.level;
    let { level } = mark;
    for (let at = mark.since + this.#options.intervalMs; at <= now && level > 0; at += this.#options.intervalMs) {
      level -= 1;
    }
    return level;
  }

  forget(address: string): void {
    this.#outcomes.delete(address);
    this.#out.delete(address);
    this.#marks.delete(address);
  }

  report(address: string, ok: boolean, total: number, now: number): void {
    if (this.#out.has(address)) return;
    const history = [...(this.#outcomes.get(address) ?? []), { at: now, ok }];
    this.#outcomes.set(address, history);
    if (ok || !this.#isBad(history) || total < 2) return;
    const allowed = Math.max(1, Math.floor(Number((total * this.#options.maxEjectedShare).toFixed(6))));
    if (this.#out.size >= allowed) return;
    const level = this.level(address, now) + 1;
    this.#marks.set(address, { level, since: now });
    this.#out.set(address, now + Math.min(this.#options.maxEjectionMs, this.#options.baseEjectionMs * level));
    this.#outcomes.delete(address);
  }

  #isBad(history: { at: number; ok: boolean }[]): boolean {
    const { consecutiveFailures, errorRate, minimumVolume, intervalMs } = this.#options;
    const inRow = history.length - 1 - history.findLastIndex(({ ok }) => ok);
    if (consecutiveFailures > 0 && inRow >= consecutiveFailures) return true;
    let began = history[0]?.at ?? 0;
    for (const { at } of history) if (at - began >= intervalMs) began = at;
    const recent = history.filter(({ at }) => at >= began);
    const failed = recent.filter(({ ok }) => !ok).length;
    return errorRate > 0 && recent.length >= minimumVolume && failed / recent.length >= errorRate;
  }
}

const address = fc.constantFrom('a', 'b', 'c', 'd');
const step = fc.oneof(
  { weight: 20, arbitrary: fc.record({ kind: fc.constant('report' as const), address, ok: fc.boolean() }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 400 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('forget' as const), address }) },
);

it('PassiveHealth agrees with a naive model', () => {
  const options = fc.record({
    consecutiveFailures: fc.integer({ min: 1, max: 4 }),
    errorRate: fc.constantFrom(0, 0.3, 0.5, 1),
    minimumVolume: fc.integer({ min: 1, max: 8 }),
    intervalMs: fc.integer({ min: 50, max: 500 }),
    baseEjectionMs: fc.integer({ min: 10, max: 300 }),
    maxEjectionMs: fc.integer({ min: 300, max: 900 }),
    maxEjectedShare: fc.constantFrom(0, 0.5, 1),
  });
  let ejections = 0;
  fc.assert(
    fc.property(options, fc.integer({ min: 1, max: 6 }), fc.array(step, { maxLength: 120 }), (given, total, steps) => {
      const scene = new Scene(given, total);
      const model = new NaiveModel(given);
      for (const one of steps) {
        if (one.kind === 'report') {
          scene.health.report(one.address, one.ok, total);
          model.report(one.address, one.ok, total, scene.clock.now());
        } else if (one.kind === 'forget') {
          scene.health.forget(one.address);
          model.forget(one.address);
        } else {
          for (let i = 0; i < one.ms; i += 1) {
            scene.clock.advance(1);
            model.tick(scene.clock.now());
          }
        }
        const now = scene.clock.now();
        const names = ['a', 'b', 'c', 'd'];
        expect(names.filter((name) => scene.health.isEjected(name))).toEqual(model.out);
        expect(names.map((name) => scene.health.ejections(name))).toEqual(names.map((name) => model.level(name, now)));
        ejections += model.out.length;
      }
      expect(scene.wheel.size).toBe(model.out.length > 0 ? 1 : 0);
      scene.health.close();
    }),
    { numRuns: 500 },
  );
  expect(ejections).toBeGreaterThan(100);
});
