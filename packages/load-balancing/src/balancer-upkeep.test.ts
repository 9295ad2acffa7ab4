import { FakeClock } from '@cirque/testing';
import { TimerWheel } from '@cirque/timeout';
import { afterEach, describe, expect, it } from 'vitest';
import { Backend } from './backend.ts';
import type { Discovered, ServiceDiscovery } from './discovery/discovery.ts';
import { LoadBalancer } from './load-balancer.ts';
import type { LoadBalancerOptions } from './load-balancer-options.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** How the discovery begins. */
interface Play {
  readonly answer?: () => Discovered;
  readonly isWatched?: boolean;
}

/** A running balancer on hand-driven time, and a discovery that a test decides on. */
class Scene {
  readonly clock = new FakeClock(0);
  readonly wheel = new TimerWheel({ clock: this.clock });
  readonly controller = new AbortController();
  /** When it was asked. */
  readonly asked: number[] = [];
  readonly lines: string[] = [];
  answer: () => Discovered | Promise<Discovered>;
  changed: () => void = () => undefined;
  readonly balancer: LoadBalancer;
  readonly ended: Promise<void>;

  constructor(options: Partial<LoadBalancerOptions>, { answer, isWatched = false }: Play) {
    this.answer = answer ?? (() => ({ backends: [Backend.parse('a:1')] }));
    this.clock.onAdvance(() => this.wheel.advance());
    const discovery: ServiceDiscovery = {
      discover: () => {
        this.asked.push(this.clock.now());
        return this.answer();
      },
      ...(isWatched ? { watch: (changed) => this.#watch(changed) } : {}),
    };
    const ignore = (): void => undefined;
    this.balancer = new LoadBalancer({
      discovery,
      time: { clock: this.clock, wheel: this.wheel },
      logger: { debug: ignore, info: ignore, warn: ignore, error: (_, message) => this.lines.push(message) },
      ...options,
    });
    this.ended = this.balancer.start(this.controller.signal);
  }

  #watch(changed: () => void): void {
    this.changed = changed;
  }

  async pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 20) {
      this.clock.advance(20);
      for (let i = 0; i < 4; i += 1) await turn();
    }
  }

  async end(): Promise<void> {
    this.controller.abort();
    await this.ended;
    expect(this.wheel.size).toBe(0);
  }
}

const scenes: Scene[] = [];
async function sceneOf(options: Partial<LoadBalancerOptions> = {}, play: Play = {}): Promise<Scene> {
  const scene = new Scene(options, play);
  scenes.push(scene);
  for (let i = 0; i < 4; i += 1) await turn();
  return scene;
}
afterEach(async () => {
  for (const scene of scenes.splice(0)) await scene.end();
});

const fail = (): never => {
  throw new Error('unreachable');
};

describe('LoadBalancer.start', () => {
  it('LoadBalancer.start tries a failing discovery again after growing times, and then as always', async () => {
    const scene = await sceneOf({ updateFrequencyMs: 20_000 });
    scene.answer = fail;
    await scene.pass(20_000);
    expect(scene.asked.splice(0)).toEqual([0, 20_000]);
    await scene.pass(63_000);
    // 1 s, 2, 4, 8, 16, and then the frequency, which is shorter than 32.
    expect(scene.asked.splice(0)).toEqual([21_000, 23_000, 27_000, 35_000, 51_000, 71_000]);
    expect(scene.balancer.select('')?.address).toBe('a:1');
    scene.answer = () => ({ backends: [] });
    await scene.pass(48_000);
    expect(scene.asked).toEqual([91_000, 111_000, 131_000]);
    expect(scene.balancer.backends.size).toBe(0);
  });

  it('LoadBalancer.start without frequencies goes on until the discovery has succeeded once', async () => {
    const scene = await sceneOf({}, { answer: fail });
    await scene.pass(3_000);
    expect(scene.asked).toEqual([0, 1_000, 3_000]);
    scene.answer = () => ({ backends: [Backend.parse('a:1')] });
    await scene.pass(4_000);
    await scene.ended;
    expect(scene.asked).toEqual([0, 1_000, 3_000, 7_000]);
    expect(scene.balancer.select('')?.address).toBe('a:1');
  });

  it('LoadBalancer.start asks again when the answer says so, instead of at its frequency', async () => {
    const scene = await sceneOf({ updateFrequencyMs: 10_000 });
    scene.answer = () => ({ backends: [], refreshAfterMs: 3_000 });
    await scene.pass(16_000);
    expect(scene.asked.splice(0)).toEqual([0, 10_000, 13_000, 16_000]);
    scene.answer = () => ({ backends: [] });
    await scene.pass(13_000);
    expect(scene.asked).toEqual([19_000, 29_000]);
  });

  it('LoadBalancer.start goes on without a frequency as long as answers say when to ask again', async () => {
    const scene = await sceneOf({}, { answer: () => ({ backends: [], refreshAfterMs: 500 }) });
    await scene.pass(1_000);
    expect(scene.asked).toEqual([0, 500, 1_000]);
    scene.answer = () => ({ backends: [] });
    await scene.pass(500);
    await scene.ended;
    expect(scene.asked).toHaveLength(4);
  });

  it('LoadBalancer.start takes an answer with a nonsensical time for a failure', async () => {
    const scene = await sceneOf({ updateFrequencyMs: 1_000 });
    scene.answer = () => ({ backends: [], refreshAfterMs: Number.NaN });
    await scene.pass(1_000);
    expect(scene.lines).toEqual(['discovery failed, backends stay as they are']);
    await expect(scene.balancer.update()).rejects.toThrow('refreshAfterMs of what was discovered must be a number');
    expect(scene.balancer.backends.size).toBe(1);
  });

  it('LoadBalancer.start updates soon after a watching discovery has news, once for several calls', async () => {
    const scene = await sceneOf({}, { isWatched: true });
    await scene.pass(1_000);
    scene.answer = () => ({ backends: [Backend.parse('b:1')] });
    for (let i = 0; i < 5; i += 1) scene.changed();
    await scene.pass(60);
    expect(scene.asked).toHaveLength(2);
    // The pause for further calls takes a tick or two.
    expect(scene.asked[1]).toBeLessThanOrEqual(1_040);
    expect(scene.balancer.select('')?.address).toBe('b:1');
    await scene.pass(5_000);
    expect(scene.asked).toHaveLength(2);
  });

  it('LoadBalancer.start updates once more when there is news while it updates', async () => {
    const scene = await sceneOf({ updateFrequencyMs: 60_000 }, { isWatched: true });
    let answer: (found: Discovered) => void = () => undefined;
    scene.answer = () => new Promise((resolve) => (answer = resolve));
    scene.changed();
    await scene.pass(40);
    expect(scene.asked).toHaveLength(2);
    scene.changed();
    await scene.pass(100);
    expect(scene.asked).toHaveLength(2);
    scene.answer = () => ({ backends: [Backend.parse('c:1')] });
    answer({ backends: [Backend.parse('b:1')] });
    await scene.pass(60);
    expect(scene.asked).toHaveLength(3);
    expect(scene.balancer.select('')?.address).toBe('c:1');
  });

  it('LoadBalancer.start logs a discovery that cannot watch, and goes on at its frequency', async () => {
    const scene = await sceneOf({
      updateFrequencyMs: 1_000,
      discovery: {
        discover: () => ({ backends: [Backend.parse('w:1')] }),
        watch: () => {
          throw new Error('no watchers left');
        },
      },
    });
    expect(scene.lines).toEqual(['discovery cannot watch for changes']);
    expect(scene.balancer.select('')?.address).toBe('w:1');
  });
});
