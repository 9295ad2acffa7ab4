import { CirqueError } from '@cirque/error';
import { FakeClock, LeakCheck } from '@cirque/testing';
import { TimerWheel } from '@cirque/timeout';
import { describe, expect, it } from 'vitest';
import { Backend } from './backend.ts';
import { LoadBalancer } from './load-balancer.ts';
import type { LoadBalancerOptions } from './load-balancer-options.ts';
import type { Pick } from './pick.ts';
import type { AcquireOptions } from './pick-options.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A balancer with caps and a queue, on hand-driven time. */
class Scene {
  readonly clock = new FakeClock();
  readonly wheel = new TimerWheel({ clock: this.clock });
  readonly balancer: LoadBalancer;
  readonly log: string[] = [];
  found: Backend[];

  constructor(texts: (string | Backend)[], options: Partial<LoadBalancerOptions> = {}) {
    this.clock.onAdvance(() => this.wheel.advance());
    this.found = texts.map((one) => (typeof one === 'string' ? Backend.parse(one) : one));
    this.balancer = new LoadBalancer({
      discovery: { discover: () => ({ backends: this.found }) },
      maxConnections: 1,
      queue: { size: 3, timeoutMs: 1_000 },
      time: { clock: this.clock, wheel: this.wheel },
      ...options,
    });
  }

  /** Writes down what becomes of it, under a name. */
  acquire(name: string, options?: AcquireOptions): void {
    const ended = Promise.resolve(this.balancer.acquire('', options));
    ended.then(
      ({ backend }) => this.log.push(`${name} ${backend.address}`),
      (error: CirqueError | Error) => {
        this.log.push(`${name} ${error instanceof CirqueError ? error.context : error.message}`);
      },
    );
  }

  take(): Pick {
    const pick = this.balancer.pick('');
    if (pick === undefined) throw new Error('nobody is free');
    return pick;
  }

  async logged(): Promise<string[]> {
    await turn();
    return this.log.splice(0);
  }
}

async function sceneOf(texts: (string | Backend)[], options?: Partial<LoadBalancerOptions>): Promise<Scene> {
  const scene = new Scene(texts, options);
  await scene.balancer.update();
  return scene;
}

describe('LoadBalancer.acquire', () => {
  it('LoadBalancer.acquire answers at once while somebody is free, without a promise', async () => {
    const { balancer } = await sceneOf(['a:1', 'b:1']);
    const pick = balancer.acquire('');
    expect(pick).not.toBeInstanceOf(Promise);
    expect((pick as Pick).backend.address).toBe('a:1');
    expect(balancer.stats()).toMatchObject({ waiting: 0, waited: 0, inFlight: 1 });
  });

  it('LoadBalancer.acquire serves those who wait in order, one for each release', async () => {
    const scene = await sceneOf(['a:1', 'b:1']);
    const picks = [scene.take(), scene.take()];
    expect(scene.balancer.pick('')).toBeUndefined();
    for (const name of ['one', 'two', 'three']) scene.acquire(name);
    expect(await scene.logged()).toEqual([]);
    expect(scene.balancer.stats()).toMatchObject({ waiting: 3, waited: 3, inFlight: 2 });
    picks[1]?.done();
    expect(await scene.logged()).toEqual(['one b:1']);
    picks[0]?.done();
    expect(await scene.logged()).toEqual(['two a:1']);
    expect(scene.balancer.stats()).toMatchObject({ waiting: 1, inFlight: 2, byAddress: { 'a:1': { inFlight: 1 } } });
  });

  it('LoadBalancer.acquire turns away who finds the queue full, and who finds nobody at all', async () => {
    const scene = await sceneOf(['a:1']);
    scene.take();
    for (const name of ['one', 'two', 'three']) scene.acquire(name);
    const refusal = (): unknown => {
      try {
        return scene.balancer.acquire('');
      } catch (error) {
        return error;
      }
    };
    expect(refusal()).toBeInstanceOf(CirqueError);
    expect(refusal()).toMatchObject({ type: 'ConnectNoRoute', source: 'Upstream', context: 'queue full' });
    expect(scene.balancer.stats()).toMatchObject({ waiting: 3, queueRejections: 2 });
    const nobody = LoadBalancer.fromAddresses([]);
    expect(() => nobody.acquire('')).toThrow('no backend in rotation');
    const noQueue = LoadBalancer.fromAddresses(['a:1'], { maxConnections: 1 });
    void noQueue.acquire('');
    expect(() => noQueue.acquire('')).toThrow('queue full');
  });

  it('LoadBalancer.acquire gives up after the time, each for himself, and leaves no timer', async () => {
    const scene = await sceneOf(['a:1']);
    const pick = scene.take();
    scene.acquire('one');
    scene.clock.advance(600);
    scene.acquire('two');
    scene.clock.advance(380);
    expect(await scene.logged()).toEqual([]);
    scene.clock.advance(60);
    expect(await scene.logged()).toEqual(['one no backend free within 1000 ms']);
    scene.clock.advance(520);
    expect(await scene.logged()).toEqual([]);
    scene.clock.advance(80);
    expect(await scene.logged()).toEqual(['two no backend free within 1000 ms']);
    expect(scene.wheel.size).toBe(0);
    expect(scene.balancer.stats()).toMatchObject({ waiting: 0, waited: 2, waitTimeouts: 2, inFlight: 1 });
    pick.done();
    expect(scene.balancer.stats().inFlight).toBe(0);
  });

  it('LoadBalancer.acquire ends with the signal, makes room, and leaves no listener', async () => {
    const scene = await sceneOf(['a:1']);
    const pick = scene.take();
    const controller = new AbortController();
    const leaks = LeakCheck.start({ watch: [controller.signal] });
    scene.acquire('one', { signal: controller.signal });
    scene.acquire('two');
    controller.abort(new Error('client has gone'));
    expect(await scene.logged()).toEqual(['one client has gone']);
    scene.acquire('three', { signal: controller.signal });
    expect(await scene.logged()).toEqual(['three client has gone']);
    pick.done();
    expect(await scene.logged()).toEqual(['two a:1']);
    expect(scene.wheel.size).toBe(0);
    await leaks.assertClean();
  });

  it('LoadBalancer.acquire leaves no listener with who was served, or whose time was over', async () => {
    const scene = await sceneOf(['a:1']);
    const controller = new AbortController();
    const leaks = LeakCheck.start({ watch: [controller.signal] });
    const pick = scene.take();
    scene.acquire('one', { signal: controller.signal });
    scene.acquire('two', { signal: controller.signal });
    pick.done();
    scene.clock.advance(1_040);
    expect(await scene.logged()).toEqual(['one a:1', 'two no backend free within 1000 ms']);
    controller.abort();
    expect(scene.balancer.stats()).toMatchObject({ waiting: 0, inFlight: 1 });
    await leaks.assertClean();
  });

  it('LoadBalancer.acquire goes on with a new list, with a state, and with health', async () => {
    const scene = await sceneOf(['a:1']);
    scene.take();
    for (const name of ['one', 'two', 'three']) scene.acquire(name);
    scene.found = [Backend.parse('a:1'), Backend.parse('b:1'), Backend.parse('c:1', { priority: 3 })];
    await scene.balancer.update();
    expect(await scene.logged()).toEqual(['one b:1', 'two c:1']);
    scene.found = [Backend.parse('a:1', { maxConnections: 2 })];
    await scene.balancer.update();
    expect(await scene.logged()).toEqual(['three a:1']);
  });

  it('LoadBalancer.acquire goes on when a backend is active again, and fails when nobody is left to wait for', async () => {
    const scene = await sceneOf(['a:1', 'b:1']);
    scene.take();
    scene.balancer.setState('b:1', 'draining');
    scene.acquire('one');
    scene.balancer.setState('b:1', 'active');
    expect(await scene.logged()).toEqual(['one b:1']);
    scene.acquire('two');
    scene.balancer.setState('a:1', 'maintenance');
    expect(await scene.logged()).toEqual([]);
    scene.balancer.setState('b:1', 'maintenance');
    expect(await scene.logged()).toEqual(['two no backend in rotation']);
  });

  it('LoadBalancer.acquire passes a release on to the first who can do with it', async () => {
    const scene = await sceneOf(['a:1', 'b:1']);
    const [a, b] = [scene.take(), scene.take()];
    scene.acquire('only b', { accept: ({ address }, healthy) => healthy && address === 'b:1' });
    scene.acquire('any');
    a.done();
    expect(await scene.logged()).toEqual(['any a:1']);
    b.done();
    expect(await scene.logged()).toEqual(['only b b:1']);
  });

  it('LoadBalancer.acquire gives nothing of a backend that is not in rotation, but to whom it is due', async () => {
    const scene = await sceneOf(['a:1', 'b:1']);
    const [a] = [scene.take(), scene.take()];
    scene.acquire('any');
    scene.acquire('stuck', { prefer: 'a:1' });
    scene.balancer.setState('a:1', 'draining');
    a.done();
    expect(await scene.logged()).toEqual(['stuck a:1']);
    expect(scene.balancer.stats().waiting).toBe(1);
  });

  it('LoadBalancer.acquire gives nobody a backend whose weight has become 0, but to whom it is due', async () => {
    const scene = await sceneOf(['a:1', 'b:1']);
    const [a, b] = [scene.take(), scene.take()];
    scene.acquire('any');
    scene.acquire('choosy', { accept: (_, healthy) => healthy });
    scene.acquire('stuck', { prefer: 'a:1' });
    scene.found = [Backend.parse('a:1', { weight: 0 }), Backend.parse('b:1')];
    await scene.balancer.update();
    a.done();
    expect(await scene.logged()).toEqual(['stuck a:1']);
    b.done();
    expect(await scene.logged()).toEqual(['any b:1']);
  });

  it('LoadBalancer.acquire fails the one whose accept throws, and nobody else', async () => {
    const scene = await sceneOf(['a:1']);
    const pick = scene.take();
    let isBroken = false;
    scene.acquire('broken', {
      accept: (_, healthy) => {
        if (isBroken) throw new Error('broken accept');
        return healthy;
      },
    });
    scene.acquire('fine');
    isBroken = true;
    pick.done();
    expect(await scene.logged()).toEqual(['broken broken accept', 'fine a:1']);
  });

  it('LoadBalancer.acquire lets accept change the balancer, after the choice it is deciding', async () => {
    const scene = await sceneOf(['a:1', 'b:1']);
    const [a] = [scene.take(), scene.take()];
    scene.acquire('one');
    const accept = (): boolean => {
      a.done();
      return false;
    };
    expect(scene.balancer.pick('', { accept })).toBeUndefined();
    expect(await scene.logged()).toEqual(['one a:1']);
  });

  it('LoadBalancer.acquire keeps the key of who waits, whatever becomes of its bytes', async () => {
    const keys: string[] = [];
    const scene = await sceneOf(['a:1'], {
      selection: {
        name: 'Spy',
        build: ({ length }) => ({
          first: (key) => {
            keys.push(Buffer.from(key).toString());
            return length === 0 ? -1 : 0;
          },
          next: () => -1,
        }),
      },
    });
    scene.take();
    const bytes = Buffer.from('key');
    void scene.balancer.acquire(bytes);
    bytes.fill('x');
    scene.balancer.setState('a:1', 'active');
    expect(keys.slice(1)).toEqual(['key', 'key']);
  });
});

describe('LoadBalancer.pick', () => {
  it('LoadBalancer.pick prefers whom it is told to, unless accept or the cap says no', async () => {
    const { balancer } = await sceneOf(['a:1', 'b:1', Backend.parse('z:1', { weight: 0 })]);
    const chosen = (prefer: string, refused = ''): string | undefined => {
      const pick = balancer.pick('', { prefer, accept: (one, healthy) => healthy && one.address !== refused });
      pick?.done();
      return pick?.backend.address;
    };
    expect([chosen('b:1'), chosen('b:1'), chosen('nobody:1')]).toEqual(['b:1', 'b:1', 'a:1']);
    expect(chosen('b:1', 'b:1')).toBe('a:1');
    // Of weight 0: it gets no new clients, and keeps those that it has.
    expect(chosen('z:1')).toBe('z:1');
    balancer.setState('b:1', 'draining');
    expect([chosen('b:1'), chosen('x:1'), chosen('x:1')]).toEqual(['b:1', 'a:1', 'a:1']);
    balancer.pick('', { prefer: 'b:1' });
    expect(chosen('b:1')).toBe('a:1');
    balancer.setState('b:1', 'maintenance');
    expect(chosen('b:1')).toBe('a:1');
  });

  it('LoadBalancer.select counts nothing and heeds no cap', async () => {
    const { balancer } = await sceneOf(['a:1']);
    for (let i = 0; i < 3; i += 1) expect(balancer.select('')?.address).toBe('a:1');
    expect(balancer.stats()).toMatchObject({ inFlight: 0, picks: 3 });
    expect(balancer.pick('')?.backend.address).toBe('a:1');
  });

  it('LoadBalancer.pick finds backups behind more full backends than it looks at', async () => {
    const primaries = Array.from({ length: 300 }, (_, i) => Backend.parse(`10.0.${i >> 8}.${i & 255}:80`));
    const scene = await sceneOf([...primaries, Backend.parse('b:1', { priority: 1 })]);
    for (let i = 0; i < 300; i += 1) expect(scene.take().backend.priority).toBe(0);
    expect(scene.take().backend.address).toBe('b:1');
    expect(scene.balancer.pick('')).toBeUndefined();
  });

  it('LoadBalancer.pick keeps what is under way when a backend leaves and comes back', async () => {
    const scene = await sceneOf(['a:1', 'b:1'], { maxConnections: 1 });
    const pick = scene.take();
    scene.found = [Backend.parse('b:1')];
    await scene.balancer.update();
    expect(scene.balancer.stats()).toMatchObject({ inFlight: 1, byAddress: { 'b:1': { inFlight: 0 } } });
    scene.found = [Backend.parse('a:1')];
    await scene.balancer.update();
    expect(scene.balancer.pick('')).toBeUndefined();
    pick.done();
    expect(scene.take().backend.address).toBe('a:1');
  });
});
