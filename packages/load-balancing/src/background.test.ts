import { FakeClock, LeakCheck } from '@cirque/testing';
import { TimerWheel } from '@cirque/timeout';
import { describe, expect, it } from 'vitest';
import { type PeriodicJob, runPeriodically } from './background.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A clock, a wheel on it, and a log of what ran when. */
class Scene {
  readonly clock = new FakeClock(0);
  readonly wheel = new TimerWheel({ clock: this.clock });
  readonly log: string[] = [];
  readonly controller = new AbortController();

  constructor() {
    this.clock.onAdvance(() => this.wheel.advance());
  }

  job(name: string, frequencyMs: () => number | undefined, work: () => Promise<void> = turn): PeriodicJob {
    const run = (): Promise<void> => {
      this.log.push(`${name}@${this.clock.now()}`);
      return work();
    };
    return { frequencyMs, run };
  }

  run(...jobs: PeriodicJob[]): Promise<void> {
    return runPeriodically(jobs, this.controller.signal, () => this.log.push('ready'), this);
  }

  /** Moves time on in steps of a tick, letting jobs run in between. */
  async pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 20) {
      this.clock.advance(20);
      for (let i = 0; i < 4; i += 1) await turn();
    }
  }
}

describe('runPeriodically', () => {
  it('runPeriodically without frequencies runs one round, is ready, and returns', async () => {
    const scene = new Scene();
    await scene.run(
      scene.job('update', () => undefined),
      scene.job('check', () => undefined),
    );
    expect(scene.log).toEqual(['update@0', 'check@0', 'ready']);
    expect(scene.wheel.size).toBe(0);
  });

  it('runPeriodically runs each job at its own frequency', async () => {
    const scene = new Scene();
    const ended = scene.run(
      scene.job('update', () => 1_000),
      scene.job('check', () => 400),
    );
    await turn();
    await scene.pass(2_000);
    expect(scene.log.filter((entry) => entry.startsWith('check'))).toHaveLength(6);
    expect(scene.log.slice(0, 7)).toEqual([
      'update@0',
      'check@0',
      'ready',
      'check@400',
      'check@800',
      'update@1000',
      'check@1200',
    ]);
    scene.controller.abort();
    await ended;
  });

  it('runPeriodically reads a frequency anew before each wait', async () => {
    const scene = new Scene();
    let frequencyMs: number | undefined = 200;
    const ended = scene.run(scene.job('check', () => frequencyMs));
    await turn();
    await scene.pass(200);
    frequencyMs = 600;
    await scene.pass(600);
    frequencyMs = undefined;
    await scene.pass(600);
    await ended;
    expect(scene.log).toEqual(['check@0', 'ready', 'check@200', 'check@800']);
  });

  it('runPeriodically ends when the last frequency is taken away', async () => {
    const scene = new Scene();
    let frequencyMs: number | undefined = 200;
    const ended = scene.run(scene.job('check', () => frequencyMs));
    await turn();
    await scene.pass(100);
    frequencyMs = undefined;
    await scene.pass(200);
    await ended;
    expect(scene.log).toEqual(['check@0', 'ready']);
  });

  it('runPeriodically lets a job that hangs hold up nothing but itself', async () => {
    const scene = new Scene();
    let runs = 0;
    const hang = (): Promise<void> => {
      runs += 1;
      return runs === 1 ? turn() : new Promise(() => undefined);
    };
    const ended = scene.run(
      scene.job('update', () => 300, hang),
      scene.job('check', () => 200),
    );
    await turn();
    await scene.pass(1_000);
    expect(scene.log.filter((entry) => entry.startsWith('update'))).toEqual(['update@0', 'update@300']);
    expect(scene.log.filter((entry) => entry.startsWith('check'))).toHaveLength(6);
    scene.controller.abort();
    await ended;
  });

  it('runPeriodically never overlaps, and runs again at once when a job took too long', async () => {
    const scene = new Scene();
    let end: () => void = () => undefined;
    const slow = (): Promise<void> =>
      new Promise((resolve) => {
        end = resolve;
      });
    const ended = scene.run(scene.job('check', () => 100, slow));
    await scene.pass(1_000);
    expect(scene.log).toEqual(['check@0']);
    end();
    await scene.pass(40);
    expect(scene.log).toEqual(['check@0', 'ready', 'check@1040']);
    scene.controller.abort();
    await ended;
  });

  it('runPeriodically ends at once with the signal while it waits, and leaves neither timer nor listener', async () => {
    const scene = new Scene();
    const leaks = LeakCheck.start({ watch: [scene.controller.signal] });
    const ended = scene.run(scene.job('check', () => 1_000_000));
    for (let i = 0; i < 4; i += 1) await turn();
    expect(scene.wheel.size).toBe(1);
    scene.controller.abort();
    await ended;
    expect(scene.wheel.size).toBe(0);
    await leaks.assertClean();
  });

  it('runPeriodically ends at once with the signal while a job hangs, without being ready', async () => {
    const scene = new Scene();
    const leaks = LeakCheck.start({ watch: [scene.controller.signal] });
    const hang = (): Promise<void> => new Promise(() => undefined);
    const ended = scene.run(
      scene.job('update', () => undefined, hang),
      scene.job('check', () => undefined),
    );
    scene.controller.abort();
    await ended;
    expect(scene.log).toEqual(['update@0']);
    await leaks.assertClean();
  });

  it('runPeriodically does nothing when the signal has aborted before', async () => {
    const scene = new Scene();
    scene.controller.abort();
    await scene.run(scene.job('check', () => 100));
    expect(scene.log).toEqual([]);
  });
});
