import { FakeClock } from '@cirque/testing';
import { TimerWheel } from '@cirque/timeout';
import { describe, expect, it } from 'vitest';
import { Backend } from '../backend.ts';
import { Health } from './health.ts';
import type { HealthCheck, HealthEvent } from './health-check.ts';
import { HealthMonitor, type RoundOptions } from './health-monitor.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const backends = ['a:1', 'b:1', 'c:1'].map((text) => Backend.parse(text));
const ROUND: RoundOptions = { parallel: true, spreadMs: 0, signal: undefined };

/** A monitor whose results end in healths of its own, and a log of what it says. */
class Scene {
  readonly clock = new FakeClock();
  readonly wheel = new TimerWheel({ clock: this.clock });
  readonly healths = new Map(backends.map((backend) => [backend.address, new Health()]));
  readonly lines: string[] = [];
  readonly events: HealthEvent[] = [];
  readonly left = new Set<string>();
  readonly monitor: HealthMonitor;

  constructor(check?: Partial<HealthCheck>) {
    this.clock.onAdvance(() => this.wheel.advance());
    const log =
      (level: string) =>
      (details: object, message: string): void => {
        const { backend = '-', err } = details as { backend?: string; err?: Error };
        this.lines.push(`${level} ${backend} ${message}${err === undefined ? '' : `: ${err.message}`}`);
      };
    this.monitor = new HealthMonitor({
      logger: { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') },
      time: this,
      random: () => 0.5,
      isChecked: ({ address }) => !this.left.has(address),
      onResult: (backend, success, threshold) =>
        this.healths.get(backend.address)?.observe(success, threshold) ?? false,
    });
    this.monitor.observe((event) => {
      this.events.push(event);
    });
    if (check !== undefined) this.monitor.check = { check: async () => undefined, healthThreshold: () => 1, ...check };
  }

  get healthy(): string {
    return backends.map(({ address }) => (this.healths.get(address)?.healthy ? '+' : '-')).join('');
  }
}

/** Fails for the given addresses. */
const failing =
  (...addresses: string[]) =>
  async (backend: Backend): Promise<void> => {
    if (addresses.includes(backend.address)) throw new Error(`${backend.address} is down`);
  };

describe('HealthMonitor', () => {
  it('HealthMonitor leaves out who leaves during a round, and has the check forget whom it was checking then', async () => {
    const log: string[] = [];
    const scene = new Scene({
      check: async ({ address }) => {
        log.push(`check ${address}`);
        // The first one and the second one leave while the first one is checked.
        scene.left.add('a:1').add('b:1');
      },
      forget: ({ address }) => {
        log.push(`forget ${address}`);
      },
    });
    await scene.monitor.runRound(backends, { ...ROUND, parallel: false });
    expect(log).toEqual(['check a:1', 'forget a:1', 'check c:1']);
  });

  it('HealthMonitor without a check does nothing', async () => {
    const scene = new Scene();
    await scene.monitor.runRound(backends, ROUND);
    await scene.monitor.release();
    expect(scene.lines).toEqual([]);
  });

  it('HealthMonitor logs and reports flips only, with the reason', async () => {
    const scene = new Scene({ check: failing('b:1') });
    await scene.monitor.runRound(backends, ROUND);
    await scene.monitor.runRound(backends, ROUND);
    expect(scene.healthy).toBe('+-+');
    expect(scene.lines).toEqual(['warn b:1 backend became unhealthy: b:1 is down']);
    expect(scene.events).toEqual([{ backend: backends[1], healthy: false, cause: new Error('b:1 is down') }]);
    scene.monitor.check = { check: failing(), healthThreshold: () => 1 };
    await scene.monitor.runRound(backends, ROUND);
    expect(scene.lines[1]).toBe('info b:1 backend became healthy');
    expect(scene.events[1]).toEqual({ backend: backends[1], healthy: true, cause: undefined });
  });

  it('HealthMonitor asks the check for the threshold of each kind of result', async () => {
    const scene = new Scene({ check: failing('a:1'), healthThreshold: (success) => (success ? 1 : 3) });
    for (const expected of ['+++', '+++', '-++']) {
      await scene.monitor.runRound(backends, ROUND);
      expect(scene.healthy).toBe(expected);
    }
  });

  it('HealthMonitor survives a check that throws at once', async () => {
    const scene = new Scene({
      check: (backend) => {
        if (backend.address === 'a:1') throw new Error('broken check');
        return Promise.resolve();
      },
    });
    await scene.monitor.runRound(backends, ROUND);
    expect(scene.healthy).toBe('-++');
  });

  it('HealthMonitor gives up on a check that hangs, and tells it so', async () => {
    const reasons: unknown[] = [];
    const scene = new Scene({
      timeoutMs: 500,
      check: (backend, signal) => {
        if (backend.address !== 'b:1') return Promise.resolve();
        signal.addEventListener('abort', () => reasons.push(signal.reason));
        return new Promise(() => undefined);
      },
    });
    const round = scene.monitor.runRound(backends, ROUND);
    await turn();
    expect(scene.healthy).toBe('+++');
    scene.clock.advance(540);
    await round;
    expect(scene.healthy).toBe('+-+');
    expect(reasons).toMatchObject([{ type: 'HealthCheckTimedout', context: 'no result for b:1 within 500 ms' }]);
    expect(scene.wheel.size).toBe(0);
  });

  it('HealthMonitor bounds a check that names no time by ten seconds', async () => {
    const scene = new Scene({ check: () => new Promise(() => undefined) });
    const round = scene.monitor.runRound(backends, ROUND);
    scene.clock.advance(9_990);
    await turn();
    expect(scene.healthy).toBe('+++');
    scene.clock.advance(60);
    await round;
    expect(scene.healthy).toBe('---');
  });

  it('HealthMonitor survives observers, callbacks and summaries that throw or reject', async () => {
    const scene = new Scene({
      check: failing('a:1'),
      healthStatusChange: () => Promise.reject(new Error('callback')),
      summary: () => {
        throw new Error('summary');
      },
    });
    scene.monitor.observe(() => {
      throw new Error('observer');
    });
    scene.monitor.observe(async () => {
      throw new Error('async observer');
    });
    await scene.monitor.runRound(backends, ROUND);
    await turn();
    expect(scene.healthy).toBe('-++');
    expect(scene.events).toHaveLength(1);
    expect(scene.lines[0]).toBe('warn a:1 backend became unhealthy: a:1 is down');
    expect(scene.lines.slice(1).toSorted()).toEqual([
      'error a:1 health observer failed: async observer',
      'error a:1 health observer failed: observer',
      'error a:1 healthStatusChange failed: callback',
    ]);
  });

  it('HealthMonitor uses the summary in logs, and tells the callback of flips', async () => {
    const flips: [string, boolean][] = [];
    const scene = new Scene({
      check: failing('a:1'),
      summary: (backend) => `server ${backend.address}`,
      healthStatusChange: (backend, healthy) => {
        flips.push([backend.address, healthy]);
      },
    });
    await scene.monitor.runRound(backends, ROUND);
    expect(scene.lines).toEqual(['warn server a:1 backend became unhealthy: a:1 is down']);
    expect(flips).toEqual([['a:1', false]]);
  });

  it('HealthMonitor logs a check without a usable threshold and goes on', async () => {
    const scene = new Scene({
      healthThreshold: () => {
        throw new Error('no threshold');
      },
    });
    await scene.monitor.runRound(backends, ROUND);
    expect(scene.lines).toContain('error a:1 health check has no usable threshold: no threshold');
    expect(scene.healthy).toBe('+++');
  });

  it('HealthMonitor checks one after the other when it is told to', async () => {
    const begun: string[] = [];
    const ends: (() => void)[] = [];
    const scene = new Scene({
      check: (backend) => {
        begun.push(backend.address);
        return new Promise((resolve) => ends.push(resolve));
      },
    });
    const round = scene.monitor.runRound(backends, { ...ROUND, parallel: false, spreadMs: 1_000 });
    for (const expected of [['a:1'], ['a:1', 'b:1'], ['a:1', 'b:1', 'c:1']]) {
      await turn();
      expect(begun).toEqual(expected);
      ends.at(-1)?.();
    }
    await round;
  });

  it('HealthMonitor has at most 64 checks under way', async () => {
    let underWay = 0;
    let most = 0;
    const many = Array.from({ length: 300 }, (_, i) => Backend.parse(`10.0.${i >> 8}.${i & 255}:80`));
    const scene = new Scene({
      check: async () => {
        underWay += 1;
        most = Math.max(most, underWay);
        await turn();
        underWay -= 1;
      },
    });
    await scene.monitor.runRound(many, ROUND);
    expect(most).toBe(64);
  });

  it('HealthMonitor lets results that come after the signal count for nothing', async () => {
    const controller = new AbortController();
    const signals: AbortSignal[] = [];
    const scene = new Scene({
      check: (_, signal) => {
        signals.push(signal);
        return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
      },
    });
    const round = scene.monitor.runRound(backends, { ...ROUND, signal: controller.signal });
    controller.abort();
    await round;
    expect(scene.healthy).toBe('+++');
    expect(scene.lines).toEqual([]);
    expect(signals.every((signal) => signal.aborted)).toBe(true);
    expect(scene.wheel.size).toBe(0);
  });

  it('HealthMonitor.observe returns what ends it, for that observer alone', async () => {
    const scene = new Scene({ check: failing('a:1') });
    const seen: string[] = [];
    const observer = (event: HealthEvent): void => {
      seen.push(event.backend.address);
    };
    const end = scene.monitor.observe(observer);
    scene.monitor.observe(observer);
    end();
    await scene.monitor.runRound(backends, ROUND);
    expect(seen).toEqual(['a:1']);
  });

  it('HealthMonitor survives a check that fails to forget or to release', async () => {
    const scene = new Scene({
      forget: () => {
        throw new Error('forget');
      },
      release: () => Promise.reject(new Error('release')),
    });
    scene.monitor.forget(Backend.parse('a:1'));
    await scene.monitor.release();
    expect(scene.lines.toSorted()).toEqual([
      'error - health check failed to release its resources: release',
      'error a:1 health check failed to forget a backend: forget',
    ]);
  });
});
