import { FakeClock } from '@cirque/testing';
import { TimerWheel } from '@cirque/timeout';
import { describe, expect, it } from 'vitest';
import { Backend } from './backend.ts';
import { BackendState } from './backend-state.ts';
import { LoadBalancer } from './load-balancer.ts';
import type { LoadBalancerOptions } from './load-balancer-options.ts';
import { Random } from './selection/random.ts';
import { RoundRobin } from './selection/round-robin.ts';
import { SlowStart } from './slow-start.ts';

/** Even numbers from 0 up to 1: whatever has a share gets it exactly. */
function evenly(steps: number): () => number {
  let i = 0;
  return () => {
    i += 1;
    return ((i * 7) % steps) / steps;
  };
}

describe('SlowStart', () => {
  it('SlowStart passes a backend over in proportion to its youth', () => {
    const clock = new FakeClock(5_000);
    const slowStart = new SlowStart(1_000, clock, evenly(100));
    const state = new BackendState('a:1');
    const passed = (): number => Array.from({ length: 100 }, () => slowStart.passesOver(state)).filter(Boolean).length;
    expect([slowStart.isActive, slowStart.isYoung(state)]).toEqual([false, false]);
    slowStart.begin(state);
    expect([slowStart.isActive, slowStart.isYoung(state), passed()]).toEqual([true, true, 90]);
    clock.advance(500);
    expect(passed()).toBe(45);
    clock.advance(499);
    expect(slowStart.isYoung(state)).toBe(true);
    clock.advance(1);
    expect([slowStart.isActive, slowStart.isYoung(state), passed()]).toEqual([false, false, 0]);
  });

  it('SlowStart of no duration leaves everybody as he is, and asks for neither time nor chance', () => {
    const never = (): never => {
      throw new Error('asked');
    };
    const slowStart = new SlowStart(0, { now: never }, never);
    const state = new BackendState('a:1');
    slowStart.begin(state);
    expect([slowStart.isActive, slowStart.isYoung(state)]).toEqual([false, false]);
  });
});

/** A balancer on hand-driven time whose list and health a test decides on. */
class Scene {
  readonly clock = new FakeClock();
  readonly down = new Set<string>();
  found: Backend[];
  readonly balancer: LoadBalancer;

  constructor(texts: string[], options: Partial<LoadBalancerOptions> = {}) {
    this.found = texts.map((text) => Backend.parse(text));
    const wheel = new TimerWheel({ clock: this.clock });
    this.clock.onAdvance(() => wheel.advance());
    this.balancer = new LoadBalancer({
      discovery: { discover: () => ({ backends: this.found }) },
      healthCheck: {
        check: async ({ address }) => {
          if (this.down.has(address)) throw new Error('down');
        },
        healthThreshold: () => 1,
      },
      time: { clock: this.clock, wheel },
      random: evenly(1_000),
      slowStartMs: 10_000,
      ...options,
    });
  }

  /** How many of 1,000 choices go to this address. */
  share(address: string, choose = (): string | undefined => this.balancer.select('')?.address): number {
    return Array.from({ length: 1_000 }, choose).filter((chosen) => chosen === address).length;
  }
}

const young = ({ balancer }: Scene): string[] =>
  Object.entries(balancer.stats().byAddress).flatMap(([address, stats]) => (stats.young === 1 ? [address] : []));

describe('LoadBalancer.slowStartMs', () => {
  it('LoadBalancer.slowStartMs lets the first list serve from the beginning, and those who join it later grow', async () => {
    const scene = new Scene(['a:1', 'b:1']);
    await scene.balancer.update();
    expect(young(scene)).toEqual([]);
    scene.found = [...scene.found, Backend.parse('c:1'), Backend.parse('d:1')];
    await scene.balancer.update();
    expect(young(scene)).toEqual(['c:1', 'd:1']);
    // A tenth of a quarter, as the rest is shared by the others.
    expect(scene.share('c:1')).toBeGreaterThan(5);
    expect(scene.share('c:1')).toBeLessThan(75);
    scene.clock.advance(10_000);
    expect(young(scene)).toEqual([]);
    expect(scene.share('c:1')).toBe(250);
  });

  it.each([RoundRobin, Random])('LoadBalancer.slowStartMs grows the share with time ($name)', async (selection) => {
    const scene = new Scene(['a:1', 'b:1', 'c:1', 'd:1'], { selection });
    await scene.balancer.update();
    scene.down.add('a:1');
    await scene.balancer.runHealthCheck();
    scene.down.clear();
    await scene.balancer.runHealthCheck();
    const shares = [0, 1, 2].map(() => {
      const share = scene.share('a:1');
      scene.clock.advance(5_000);
      return share;
    });
    expect(shares[0]).toBeLessThan(60);
    expect(shares[1]).toBeGreaterThan(90);
    expect(shares[1]).toBeLessThan(190);
    expect(shares[2]).toBeGreaterThan(200);
  });

  it('LoadBalancer.slowStartMs counts from each return: health, state, discovery', async () => {
    const scene = new Scene(['a:1', 'b:1']);
    const { balancer, down } = scene;
    await balancer.update();
    down.add('a:1');
    await balancer.runHealthCheck();
    expect(young(scene)).toEqual([]);
    balancer.setState('a:1', 'draining');
    down.clear();
    await balancer.runHealthCheck();
    expect(young(scene)).toEqual([]);
    balancer.setState('a:1', 'active');
    expect(young(scene)).toEqual(['a:1']);
    scene.clock.advance(10_000);
    balancer.setState('a:1', 'active');
    expect(young(scene)).toEqual([]);
    balancer.setState('b:1', 'maintenance');
    balancer.setState('b:1', 'active');
    expect(young(scene)).toEqual(['b:1']);
  });

  it('LoadBalancer.slowStartMs takes the first one passed over when nobody else is left', async () => {
    const scene = new Scene(['a:1', 'b:1'], { random: () => 0.999 });
    const { balancer } = scene;
    await balancer.update();
    for (const text of ['a:1', 'b:1']) {
      balancer.setState(text, 'maintenance');
      balancer.setState(text, 'active');
    }
    expect(young(scene)).toEqual(['a:1', 'b:1']);
    for (let i = 0; i < 4; i += 1) {
      expect(balancer.select('')).toBeDefined();
      expect(balancer.pick('')).toBeDefined();
      expect(balancer.select('', 1)).toBeDefined();
    }
    expect(balancer.selectWith('', 9, ({ address }) => address === 'b:1')?.address).toBe('b:1');
  });

  it('LoadBalancer.slowStartMs sends nobody to a backup because all the others are young', async () => {
    const scene = new Scene([], { random: () => 0.999 });
    const { balancer } = scene;
    scene.found = [Backend.parse('a:1'), Backend.parse('backup:1', { priority: 1 })];
    await balancer.update();
    balancer.setState('a:1', 'maintenance');
    expect(balancer.select('')?.address).toBe('backup:1');
    balancer.setState('a:1', 'active');
    expect(balancer.select('')?.address).toBe('a:1');
  });
});
