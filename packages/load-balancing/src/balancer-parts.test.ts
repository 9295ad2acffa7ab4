/**
 * Passive health at work in a balancer; the rules themselves are tested beside passive/passive-health.ts.
 */
import { FakeClock } from '@cirque/testing';
import { TimerWheel } from '@cirque/timeout';
import { describe, expect, it } from 'vitest';
import { Backend } from './backend.ts';
import { LoadBalancer } from './load-balancer.ts';
import type { LoadBalancerOptions } from './load-balancer-options.ts';

/** A balancer with passive health, on hand-driven time. */
class Scene {
  readonly clock = new FakeClock();
  readonly wheel = new TimerWheel({ clock: this.clock });
  readonly lines: string[] = [];
  found: Backend[];
  readonly balancer: LoadBalancer;

  constructor(texts: string[], options: Partial<LoadBalancerOptions> = {}) {
    this.clock.onAdvance(() => this.wheel.advance());
    this.found = texts.map((text) => Backend.parse(text));
    const ignore = (): void => undefined;
    const log = (_: object, message: string): void => void this.lines.push(message);
    this.balancer = new LoadBalancer({
      discovery: { discover: () => ({ backends: this.found }) },
      passiveHealth: { consecutiveFailures: 2, baseEjectionMs: 1_000, maxEjectedShare: 0.5 },
      time: { clock: this.clock, wheel: this.wheel },
      logger: { debug: ignore, info: log, warn: log, error: log },
      ...options,
    });
  }

  /** Uses this backend so many times. */
  use(address: string, ok: boolean | undefined, times: number): void {
    for (let i = 0; i < times; i += 1) {
      this.balancer.pick('', { accept: (one) => one.address === address })?.done(ok === undefined ? undefined : { ok });
    }
  }

  get inRotation(): string[] {
    const { backends } = this.balancer;
    return [...backends].filter((one) => backends.isReady(one)).map((one) => one.address);
  }
}

async function sceneOf(texts: string[], options?: Partial<LoadBalancerOptions>): Promise<Scene> {
  const scene = new Scene(texts, options);
  await scene.balancer.update();
  scene.lines.length = 0;
  return scene;
}

describe('LoadBalancer.passiveHealth', () => {
  it('LoadBalancer.passiveHealth takes a backend out whose requests fail, and back in', async () => {
    const scene = await sceneOf(['a:1', 'b:1', 'c:1']);
    scene.use('a:1', false, 1);
    scene.use('a:1', true, 1);
    scene.use('a:1', false, 1);
    expect(scene.inRotation).toEqual(['a:1', 'b:1', 'c:1']);
    // Nothing said means nothing known.
    scene.use('a:1', undefined, 5);
    scene.use('a:1', false, 1);
    expect(scene.inRotation).toEqual(['b:1', 'c:1']);
    expect(scene.balancer.backends.isEjected({ address: 'a:1' })).toBe(true);
    expect(scene.balancer.stats()).toMatchObject({
      ejected: 1,
      healthy: 3,
      byAddress: { 'a:1': { ejected: 1, failures: 3, healthy: 1 }, 'b:1': { ejected: 0, failures: 0 } },
    });
    scene.clock.advance(1_040);
    expect(scene.inRotation).toEqual(['a:1', 'b:1', 'c:1']);
    expect(scene.lines).toEqual(['backend ejected', 'backend is back from its ejection']);
  });

  it('LoadBalancer.passiveHealth gives an ejected backend not even to those that are stuck to it', async () => {
    const scene = await sceneOf(['a:1', 'b:1']);
    expect(scene.balancer.pick('', { prefer: 'a:1' })?.backend.address).toBe('a:1');
    scene.use('a:1', false, 2);
    expect(scene.balancer.pick('', { prefer: 'a:1' })?.backend.address).toBe('b:1');
  });

  it('LoadBalancer.passiveHealth is overruled by panic, and ends with a slow start', async () => {
    const scene = await sceneOf(['a:1', 'b:1'], { panicThreshold: 0.6, slowStartMs: 5_000, random: () => 0.5 });
    scene.use('a:1', false, 2);
    expect(scene.inRotation).toEqual(['a:1', 'b:1']);
    expect(scene.balancer.stats()).toMatchObject({ panic: 1, ejected: 1 });
    scene.clock.advance(1_040);
    expect(scene.balancer.stats()).toMatchObject({ panic: 0, ejected: 0, byAddress: { 'a:1': { young: 1 } } });
  });

  it('LoadBalancer.passiveHealth forgets who leaves', async () => {
    const scene = await sceneOf(['a:1', 'b:1', 'c:1']);
    scene.use('a:1', false, 2);
    scene.found = scene.found.slice(1);
    await scene.balancer.update();
    scene.found = [Backend.parse('a:1'), ...scene.found];
    await scene.balancer.update();
    expect(scene.inRotation).toEqual(['a:1', 'b:1', 'c:1']);
    expect(scene.wheel.size).toBe(0);
    // It begins anew: one failure is not enough.
    scene.use('a:1', false, 1);
    expect(scene.inRotation).toEqual(['a:1', 'b:1', 'c:1']);
  });

  it('LoadBalancer.passiveHealth is not passed on to copies, and ends with the balancer', async () => {
    const scene = await sceneOf(['a:1', 'b:1']);
    const told: unknown[] = [];
    scene.balancer.onChange((change) => told.push(change));
    scene.use('a:1', false, 2);
    const copy = LoadBalancer.fromAddresses([]);
    copy.apply(structuredClone(scene.balancer.snapshot()));
    expect([told, copy.stats().ejected]).toEqual([[], 0]);
    await scene.balancer[Symbol.asyncDispose]();
    expect(scene.wheel.size).toBe(0);
  });

  it('LoadBalancer refuses numbers that cannot work, naming the option', () => {
    const refused: [Partial<LoadBalancerOptions>, string][] = [
      [{ maxConnections: -1 }, 'maxConnections must be an integer from 0 to 1000000000, got -1'],
      [{ slowStartMs: 0.5 }, 'slowStartMs must be an integer from 0, got 0.5'],
      [{ panicThreshold: 50 }, 'panicThreshold must be a number from 0 to 1, got 50'],
      [{ queue: { size: Number.POSITIVE_INFINITY } }, 'queue.size must be an integer from 0, got Infinity'],
      [{ queue: { timeoutMs: 0 } }, 'queue.timeoutMs must be an integer from 1, got 0'],
      [{ passiveHealth: { errorRate: 2 } }, 'errorRate must be a number from 0 to 1, got 2'],
    ];
    for (const [options, message] of refused) {
      expect(() => LoadBalancer.fromAddresses(['a:1'], options)).toThrow(message);
    }
    const balancer = LoadBalancer.fromAddresses(['a:1']);
    // @ts-expect-error no such state
    expect(() => balancer.setState('a:1', 'off')).toThrow(
      "state must be 'active', 'draining' or 'maintenance', got off",
    );
    expect(() => Backend.parse('a:1', { priority: 16 })).toThrow(
      'priority of backend a:1 must be an integer from 0 to 15',
    );
    expect(() => Backend.parse('a:1', { maxConnections: -1 })).toThrow(
      'maxConnections of backend a:1 must be an integer',
    );
  });
});
