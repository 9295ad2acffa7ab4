import { FakeClock, LeakCheck } from '@cirque/testing';
import { TimerWheel } from '@cirque/timeout';
import { describe, expect, it } from 'vitest';
import { Backend } from './backend.ts';
import type { Discovered, ServiceDiscovery } from './discovery/discovery.ts';
import type { HealthCheck } from './health/health-check.ts';
import { LoadBalancer } from './load-balancer.ts';
import { FnvHash } from './selection/fnv-hash.ts';
import { Random } from './selection/random.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const parse = (...texts: string[]): Backend[] => texts.map((text) => Backend.parse(text));

/** Hand-driven time for a balancer. */
class Scene {
  readonly clock = new FakeClock();
  readonly time = { clock: this.clock, wheel: new TimerWheel({ clock: this.clock }) };
  readonly lines: string[] = [];
  readonly controller = new AbortController();

  constructor() {
    this.clock.onAdvance(() => this.time.wheel.advance());
  }

  get logger(): { debug: () => void; info: () => void; warn: () => void; error: (d: object, m: string) => void } {
    const ignore = (): void => undefined;
    return { debug: ignore, info: ignore, warn: ignore, error: (_, message) => this.lines.push(message) };
  }

  async pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 20) {
      this.clock.advance(20);
      for (let i = 0; i < 4; i += 1) await turn();
    }
  }
}

/** A check that fails for the addresses in a set that a test changes. */
class SetCheck implements HealthCheck {
  readonly down = new Set<string>();
  readonly forgotten: string[] = [];
  checks = 0;
  releases = 0;

  async check(backend: Backend): Promise<void> {
    this.checks += 1;
    if (this.down.has(backend.address)) throw new Error('down');
  }

  healthThreshold(): number {
    return 1;
  }

  forget(backend: Backend): void {
    this.forgotten.push(backend.address);
  }

  release(): void {
    this.releases += 1;
  }
}

describe('LoadBalancer.fromAddresses', () => {
  it('LoadBalancer.fromAddresses chooses at once, in turn by default', () => {
    const balancer = LoadBalancer.fromAddresses(['1.1.1.1:443', Backend.parse('1.0.0.1:443'), 'unix:/run/x.sock']);
    const chosen = Array.from({ length: 4 }, () => balancer.select('')?.address);
    expect(chosen).toEqual(['1.1.1.1:443', '1.0.0.1:443', 'unix:/run/x.sock', '1.1.1.1:443']);
  });

  it('LoadBalancer.fromAddresses takes names as they are', () => {
    expect(LoadBalancer.fromAddresses(['Origin.internal:80']).select('')).toMatchObject({ host: 'origin.internal' });
  });

  it('LoadBalancer.fromAddresses refuses a bad address, naming its position', () => {
    expect(() => LoadBalancer.fromAddresses(['a:1', 'b'])).toThrow(TypeError);
    expect(() => LoadBalancer.fromAddresses(['a:1', 'b'])).toThrow(/addresses\[1\]: backend address "b" is not valid/);
  });

  it('LoadBalancer.fromAddresses counts an address given twice twice', () => {
    const balancer = LoadBalancer.fromAddresses(['a:1', 'b:1', 'a:1']);
    const chosen = Array.from({ length: 6 }, () => balancer.select('')?.address);
    expect(chosen.filter((address) => address === 'a:1')).toHaveLength(4);
    expect(balancer.backends.size).toBe(2);
  });

  it('LoadBalancer.fromAddresses survives an update, keeping its place', async () => {
    const balancer = LoadBalancer.fromAddresses(['a:1', 'b:1']);
    balancer.select('');
    expect(await balancer.update()).toBe(false);
    expect(balancer.select('')?.address).toBe('b:1');
  });
});

describe('LoadBalancer.select', () => {
  it('LoadBalancer.select gives undefined without backends, and with weights of zero only', () => {
    expect(LoadBalancer.fromAddresses([]).select('')).toBeUndefined();
    const zero = LoadBalancer.fromAddresses([Backend.parse('a:1', { weight: 0 })]);
    expect(zero.select('')).toBeUndefined();
    expect(zero.selectWith('', 256, () => true)).toBeUndefined();
    expect(new LoadBalancer({ discovery: { discover: () => ({ backends: [] }) } }).select('')).toBeUndefined();
  });

  it('LoadBalancer.select gives undefined when all are unhealthy, until one is not', async () => {
    const check = new SetCheck();
    const balancer = LoadBalancer.fromAddresses(['a:1', 'b:1'], { healthCheck: check, selection: Random });
    check.down.add('a:1').add('b:1');
    await balancer.runHealthCheck();
    expect(balancer.select('')).toBeUndefined();
    check.down.delete('b:1');
    await balancer.runHealthCheck();
    expect(balancer.select('')?.address).toBe('b:1');
  });

  it('LoadBalancer.select looks at 256 candidates unless told otherwise', async () => {
    const check = new SetCheck();
    const texts = Array.from({ length: 300 }, (_, i) => `10.0.${i >> 8}.${i & 255}:80`);
    const balancer = LoadBalancer.fromAddresses(texts, { healthCheck: check });
    for (const text of texts.slice(0, 299)) check.down.add(text);
    await balancer.runHealthCheck();
    expect(balancer.select('')).toBeUndefined();
    expect(balancer.select('', 300)?.address).toBe(texts[299]);
  });

  it('LoadBalancer.select looks at so many candidates of each priority: dead ones before them hide no backups', async () => {
    const check = new SetCheck();
    const texts = Array.from({ length: 300 }, (_, i) => `10.0.${i >> 8}.${i & 255}:80`);
    const backups = ['b:1', 'c:1'].map((text, i) => Backend.parse(text, { priority: 1 + i }));
    const balancer = LoadBalancer.fromAddresses([...texts, ...backups], { healthCheck: check });
    for (const text of [...texts.slice(0, 299), 'b:1']) check.down.add(text);
    await balancer.runHealthCheck();
    expect(balancer.select('')?.address).toBe('c:1');
    expect(balancer.select('', 300)?.address).toBe(texts[299]);
    const seen: string[] = [];
    const refuse = ({ address }: Backend): boolean => {
      seen.push(address);
      return false;
    };
    expect(balancer.selectWith('', 2, refuse)).toBeUndefined();
    expect(seen.slice(2)).toEqual(['b:1', 'c:1']);
  });

  it('LoadBalancer disposed of leaves nobody ejected for good', async () => {
    const balancer = LoadBalancer.fromAddresses(['a:1', 'b:1'], { passiveHealth: { consecutiveFailures: 1 } });
    balancer.pick('')?.done({ ok: false });
    expect(balancer.stats().ejected).toBe(1);
    await balancer[Symbol.asyncDispose]();
    expect(balancer.stats().ejected).toBe(0);
    balancer.pick('')?.done({ ok: false });
    expect(balancer.stats().ejected).toBe(0);
  });

  it('LoadBalancer.selectWith lets accept decide, and tells it who is in rotation', async () => {
    const check = new SetCheck();
    const balancer = LoadBalancer.fromAddresses(['a:1', 'b:1', 'c:1'], { healthCheck: check });
    check.down.add('b:1');
    await balancer.runHealthCheck();
    balancer.setEnabled('c:1', false);
    const seen: [string, boolean][] = [];
    balancer.selectWith('', 10, (backend, healthy) => {
      seen.push([backend.address, healthy]);
      return false;
    });
    expect(seen).toEqual([
      ['a:1', true],
      ['b:1', false],
      ['c:1', false],
    ]);
    expect(balancer.selectWith('', 10, (backend) => backend.address === 'b:1')?.address).toBe('b:1');
  });

  it('LoadBalancer.selectWith refuses to be used from inside accept, and recovers from what accept throws', () => {
    const balancer = LoadBalancer.fromAddresses(['a:1', 'b:1']);
    const inside = [
      () => balancer.select(''),
      () => balancer.pick(''),
      () => balancer.selectWith('', 9, () => true),
      () => balancer.pick('', { accept: () => true }),
    ];
    for (const choose of inside) {
      expect(() => balancer.selectWith('', 9, () => choose() !== undefined)).toThrow(/accept must not choose/);
    }
    expect(balancer.select('')).toBeDefined();
  });

  it('LoadBalancer.select sends a key where it went before, and elsewhere only while that is down', async () => {
    const check = new SetCheck();
    const balancer = LoadBalancer.fromAddresses(['a:1', 'b:1', 'c:1'], { selection: FnvHash, healthCheck: check });
    const home = balancer.select('user 7')?.address ?? '';
    check.down.add(home);
    await balancer.runHealthCheck();
    const refuge = balancer.select('user 7')?.address;
    expect(refuge).not.toBe(home);
    expect(balancer.select('user 7')?.address).toBe(refuge);
    check.down.clear();
    await balancer.runHealthCheck();
    expect(balancer.select('user 7')?.address).toBe(home);
  });
});

describe('LoadBalancer', () => {
  it('LoadBalancer refuses options that cannot work, naming them', () => {
    const discovery: ServiceDiscovery = { discover: () => ({ backends: [] }) };
    // @ts-expect-error no discovery
    expect(() => new LoadBalancer({})).toThrow(/discovery must be an object.*fromAddresses/);
    // @ts-expect-error a name is no algorithm
    expect(() => new LoadBalancer({ discovery, selection: 'RoundRobin' })).toThrow(
      /selection must have a method build/,
    );
    // @ts-expect-error no check
    expect(() => new LoadBalancer({ discovery, healthCheck: {} })).toThrow(/a health check must have the methods/);
    expect(() => new LoadBalancer({ discovery, healthCheckFrequencyMs: 0 })).toThrow(
      /healthCheckFrequencyMs must be a number of milliseconds from 1, or undefined for never, got 0/,
    );
    const balancer = new LoadBalancer({ discovery });
    expect(() => {
      balancer.updateFrequencyMs = Number.POSITIVE_INFINITY;
    }).toThrow(RangeError);
    balancer.updateFrequencyMs = 5;
    balancer.healthCheckFrequencyMs = 6;
    expect([balancer.updateFrequencyMs, balancer.healthCheckFrequencyMs]).toEqual([5, 6]);
  });

  it('LoadBalancer.setEnabled takes any spelling of an address, or a backend', () => {
    const balancer = LoadBalancer.fromAddresses(['[::1]:80', 'a:1']);
    expect(balancer.setEnabled('[0:0::1]:80', false)).toBe(true);
    expect([balancer.select('')?.address, balancer.select('')?.address]).toEqual(['a:1', 'a:1']);
    expect(balancer.setEnabled(Backend.parse('[::1]:80'), true)).toBe(true);
    expect(balancer.setEnabled('b:1', true)).toBe(false);
    expect(() => balancer.setEnabled('b', true)).toThrow(TypeError);
  });

  it('LoadBalancer.update takes the set over, keeps health and tells the check who left', async () => {
    let found: Discovered = { backends: parse('a:1', 'b:1') };
    const check = new SetCheck();
    const balancer = new LoadBalancer({ discovery: { discover: () => found }, healthCheck: check });
    expect(await balancer.update()).toBe(true);
    check.down.add('a:1');
    await balancer.runHealthCheck();
    found = { backends: [...parse('a:1'), Backend.parse('c:1', { weight: 2 })], enabled: new Map([['c:1', false]]) };
    expect(await balancer.update()).toBe(true);
    expect(check.forgotten).toEqual(['b:1']);
    expect(balancer.select('')).toBeUndefined();
    expect(balancer.backends.isHealthy({ address: 'a:1' })).toBe(false);
  });

  it('LoadBalancer.update rejects and keeps the set when the discovery fails or talks nonsense', async () => {
    let discover: () => Discovered | Promise<Discovered> = () => ({ backends: parse('a:1') });
    const balancer = new LoadBalancer({ discovery: { discover: () => discover() } });
    await balancer.update();
    const failures: (() => Discovered | Promise<Discovered>)[] = [
      () => Promise.reject(new Error('no answer')),
      () => {
        throw new Error('broken');
      },
      // @ts-expect-error nonsense
      () => ({ backends: ['b:1'] }),
      // @ts-expect-error nonsense
      () => undefined,
    ];
    for (const failure of failures) {
      discover = failure;
      await expect(balancer.update()).rejects.toThrow();
      expect(balancer.select('')?.address).toBe('a:1');
    }
  });

  it('LoadBalancer.update gives up on a discovery that hangs', async () => {
    const { clock, time } = new Scene();
    const discovery = { timeoutMs: 300, discover: () => new Promise<never>(() => undefined) };
    const update = new LoadBalancer({ discovery, time }).update();
    clock.advance(340);
    await expect(update).rejects.toMatchObject({ type: 'DiscoveryTimedout' });
    expect(time.wheel.size).toBe(0);
  });

  it('LoadBalancer.update and runHealthCheck share a run that is under way', async () => {
    let discoveries = 0;
    const discover = async (): Promise<Discovered> => {
      discoveries += 1;
      await turn();
      return { backends: parse('a:1') };
    };
    const check = new SetCheck();
    const balancer = new LoadBalancer({ discovery: { discover }, healthCheck: check });
    await Promise.all([balancer.update(), balancer.update()]);
    expect(discoveries).toBe(1);
    await Promise.all([balancer.runHealthCheck(), balancer.runHealthCheck()]);
    expect(check.checks).toBe(1);
    await balancer.runHealthCheck();
    expect(check.checks).toBe(2);
  });

  it('LoadBalancer lets the result of a check count for nothing when the backend has left meanwhile', async () => {
    let texts = ['a:1', 'b:1'];
    let fail: (error: Error) => void = () => undefined;
    const healthCheck: HealthCheck = {
      check: () => new Promise((_, reject) => (fail = reject)),
      healthThreshold: () => 1,
    };
    const discovery = { discover: () => ({ backends: parse(...texts) }) };
    const balancer = new LoadBalancer({ discovery, healthCheck, parallelHealthCheck: false });
    await balancer.update();
    let flips = 0;
    balancer.observe(() => {
      flips += 1;
    });
    const round = balancer.runHealthCheck();
    texts = ['b:1'];
    await balancer.update();
    fail(new Error('down'));
    await turn();
    fail(new Error('down'));
    await round;
    expect(flips).toBe(1);
    expect(balancer.backends.isHealthy({ address: 'b:1' })).toBe(false);
  });

  it('LoadBalancer.observe is told after the new snapshot is out', async () => {
    const check = new SetCheck();
    const balancer = LoadBalancer.fromAddresses(['a:1', 'b:1'], { healthCheck: check });
    const before = balancer.backends;
    const seen: boolean[] = [];
    const end = balancer.observe(({ backend, healthy }) => {
      seen.push(healthy, balancer.backends.isHealthy(backend), before.isHealthy(backend));
    });
    check.down.add('a:1');
    await balancer.runHealthCheck();
    expect(seen).toEqual([false, false, true]);
    end();
    check.down.clear();
    await balancer.runHealthCheck();
    expect(seen).toHaveLength(3);
  });
});

describe('LoadBalancer.start', () => {
  it('LoadBalancer.start without frequencies updates and checks once, is ready, and ends', async () => {
    const check = new SetCheck();
    check.down.add('a:1');
    const balancer = new LoadBalancer({
      discovery: { discover: () => ({ backends: parse('a:1', 'b:1') }) },
      healthCheck: check,
    });
    let whenReady: string | undefined;
    await balancer.start(new AbortController().signal, () => {
      whenReady = balancer.select('')?.address;
    });
    expect(whenReady).toBe('b:1');
    expect(check.releases).toBe(1);
  });

  it('LoadBalancer.start notices a death and a recovery at the next check', async () => {
    const scene = new Scene();
    const check = new SetCheck();
    const { time } = scene;
    const balancer = LoadBalancer.fromAddresses(['a:1', 'b:1'], { time, healthCheck: check, random: () => 0.99 });
    balancer.healthCheckFrequencyMs = 1_000;
    const ended = balancer.start(scene.controller.signal);
    await scene.pass(100);
    const isHealthy = (): boolean => balancer.backends.isHealthy({ address: 'a:1' });
    check.down.add('a:1');
    await scene.pass(860);
    expect(isHealthy()).toBe(true);
    // One second after the first round, plus the spread of a tenth.
    await scene.pass(160);
    expect(isHealthy()).toBe(false);
    check.down.clear();
    await scene.pass(1_000);
    expect(isHealthy()).toBe(true);
    scene.controller.abort();
    await ended;
    expect(time.wheel.size).toBe(0);
  });

  it('LoadBalancer.start logs a failing discovery, is ready all the same, and goes on', async () => {
    const scene = new Scene();
    let discover = (): Discovered => {
      throw new Error('unreachable');
    };
    const { logger, time } = scene;
    const balancer = new LoadBalancer({
      discovery: { discover: () => discover() },
      time,
      logger,
      updateFrequencyMs: 500,
    });
    let isReady = false;
    const ended = balancer.start(scene.controller.signal, () => {
      isReady = true;
    });
    await scene.pass(20);
    expect(isReady).toBe(true);
    await scene.pass(500);
    expect(scene.lines).toEqual(new Array(2).fill('discovery failed, backends stay as they are'));
    discover = () => ({ backends: parse('a:1') });
    await scene.pass(500);
    expect(balancer.select('')?.address).toBe('a:1');
    scene.controller.abort();
    await ended;
  });

  it('LoadBalancer.start ends at once while a discovery and a check hang, and leaves nothing behind', async () => {
    for (const hangs of ['discovery', 'check']) {
      const scene = new Scene();
      const leaks = LeakCheck.start({ watch: [scene.controller.signal] });
      const hang = (): Promise<never> => new Promise(() => undefined);
      const discover = (): Discovered | Promise<Discovered> =>
        hangs === 'discovery' ? hang() : { backends: parse('a:1') };
      const balancer = new LoadBalancer({
        discovery: { discover },
        healthCheck: { check: hang, healthThreshold: () => 1 },
        time: scene.time,
        logger: scene.logger,
      });
      let isReady = false;
      const ended = balancer.start(scene.controller.signal, () => {
        isReady = true;
      });
      await turn();
      scene.controller.abort();
      await ended;
      await turn();
      expect(isReady).toBe(false);
      expect(scene.lines).toEqual([]);
      expect(scene.time.wheel.size).toBe(0);
      await leaks.assertClean();
    }
  });

  it('LoadBalancer.start refuses to run twice at a time, but may run again afterwards', async () => {
    const scene = new Scene();
    const balancer = LoadBalancer.fromAddresses(['a:1'], { time: scene.time, updateFrequencyMs: 1_000 });
    const ended = balancer.start(scene.controller.signal);
    await expect(balancer.start(scene.controller.signal)).rejects.toThrow(/started already/);
    scene.controller.abort();
    await ended;
    let rounds = 0;
    await balancer.start(scene.controller.signal, () => {
      rounds += 1;
    });
    expect(rounds).toBe(0);
  });

  it('LoadBalancer ends its background work when it is disposed of', async () => {
    const scene = new Scene();
    const check = new SetCheck();
    const options = { time: scene.time, healthCheck: check, healthCheckFrequencyMs: 1_000 };
    const balancer = LoadBalancer.fromAddresses(['a:1'], options);
    const ended = balancer.start(scene.controller.signal);
    await scene.pass(20);
    await balancer[Symbol.asyncDispose]();
    await ended;
    expect(check.releases).toBeGreaterThan(0);
    expect(scene.time.wheel.size).toBe(0);
    expect(balancer.select('')?.address).toBe('a:1');
    await balancer[Symbol.asyncDispose]();
  });
});
