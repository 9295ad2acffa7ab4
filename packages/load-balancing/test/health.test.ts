import { LeakCheck } from '@cirque/testing';
import { defaultWheel } from '@cirque/timeout';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type Backend,
  backgroundService,
  Consistent,
  type HealthCheck,
  type HealthEvent,
  HttpHealthCheck,
  LoadBalancer,
  Random,
  TcpHealthCheck,
} from '../src/index.ts';
import { closeAll } from './cleanup.ts';
import { Endpoint } from './servers.ts';

let leaks: LeakCheck;
let controller: AbortController;
beforeEach(() => {
  controller = new AbortController();
  leaks = LeakCheck.start({ watch: [controller.signal] });
});
afterEach(async () => {
  await closeAll();
  controller.abort();
  await leaks.assertClean();
  expect(defaultWheel.size).toBe(0);
});

/** The next change of health, whoever it concerns. */
function nextFlip(balancer: LoadBalancer): Promise<HealthEvent> {
  return new Promise((resolve) => {
    const end = balancer.observe((event) => {
      end();
      resolve(event);
    });
  });
}

/** Counts the rounds of checks that have ended. */
class CountingCheck implements HealthCheck {
  rounds = 0;
  readonly #inner: HealthCheck;
  readonly #last: string;

  constructor(inner: HealthCheck, last: string) {
    this.#inner = inner;
    this.#last = last;
  }

  async check(backend: Backend, signal: AbortSignal): Promise<void> {
    if (backend.address === this.#last) this.rounds += 1;
    await this.#inner.check(backend, signal);
  }

  healthThreshold(success: boolean): number {
    return this.#inner.healthThreshold(success);
  }
}

const CHECKS: readonly [string, () => HealthCheck][] = [
  ['TcpHealthCheck', () => new TcpHealthCheck()],
  ['HttpHealthCheck', () => new HttpHealthCheck({ host: 'backend' })],
  ['HttpHealthCheck with reuseConnection', () => new HttpHealthCheck({ host: 'backend', reuseConnection: true })],
];

describe('LoadBalancer with real backends', () => {
  it.each(CHECKS)(
    'LoadBalancer with %s drops a backend within one check of its death, and takes it back within one of its recovery',
    async (_, create) => {
      const listener = (_request: unknown, response: { end: () => void }): void => response.end();
      const endpoints = await Promise.all(Array.from({ length: 3 }, () => Endpoint.http(listener).start()));
      const [first, victim] = endpoints as [Endpoint, Endpoint];
      const check = new CountingCheck(create(), first.address);
      const addresses = endpoints.map((endpoint) => endpoint.address);
      const balancer = LoadBalancer.fromAddresses(addresses, { healthCheck: check, healthCheckFrequencyMs: 25 });
      await new Promise<void>((resolve) => void balancer.start(controller.signal, resolve));
      const chosen = (): Set<string | undefined> =>
        new Set(Array.from({ length: 9 }, () => balancer.select('')?.address));
      expect(chosen()).toEqual(new Set(addresses));

      for (let i = 0; i < 2; i += 1) {
        await victim.stop();
        const atDeath = check.rounds;
        expect(await nextFlip(balancer)).toMatchObject({ backend: { address: victim.address }, healthy: false });
        // The round that was under way may still have seen it alive.
        expect(check.rounds - atDeath).toBeLessThanOrEqual(2);
        expect(chosen()).toEqual(new Set(addresses.filter((address) => address !== victim.address)));

        await victim.start();
        const atRecovery = check.rounds;
        expect(await nextFlip(balancer)).toMatchObject({ backend: { address: victim.address }, healthy: true });
        expect(check.rounds - atRecovery).toBeLessThanOrEqual(2);
        expect(chosen()).toEqual(new Set(addresses));
      }
      await balancer[Symbol.asyncDispose]();
      await Promise.all(endpoints.map((endpoint) => endpoint.stop()));
    },
  );

  it('LoadBalancer is ready with the dead backend already out of rotation', async () => {
    const alive = await Endpoint.tcp().start();
    const dead = await Endpoint.tcp().start();
    await dead.stop();
    const balancer = LoadBalancer.fromAddresses([dead.address, alive.address], { healthCheck: new TcpHealthCheck() });
    const service = backgroundService('health check', balancer);
    await service.start(controller.signal, () => {
      expect(service.task.select('')?.address).toBe(alive.address);
    });
    expect(balancer.backends.isHealthy({ address: dead.address })).toBe(false);
  });

  it('LoadBalancer with thresholds needs as many results in a row', async () => {
    const endpoint = await Endpoint.tcp().start();
    const healthCheck = new TcpHealthCheck({ consecutiveFailure: 3, consecutiveSuccess: 2 });
    const balancer = LoadBalancer.fromAddresses([endpoint.address], { healthCheck, selection: Random });
    const results: boolean[] = [];
    const check = async (times: number): Promise<void> => {
      for (let i = 0; i < times; i += 1) {
        await balancer.runHealthCheck();
        results.push(balancer.select('') !== undefined);
      }
    };
    await check(1);
    await endpoint.stop();
    await check(4);
    await endpoint.start();
    await check(3);
    await endpoint.stop();
    expect(results).toEqual([true, true, true, false, false, false, true, true]);
  });

  it('LoadBalancer with Consistent sends keys of a dead backend on, and back again', async () => {
    const endpoints = await Promise.all(Array.from({ length: 4 }, () => Endpoint.tcp().start()));
    const addresses = endpoints.map((endpoint) => endpoint.address);
    const options = { healthCheck: new TcpHealthCheck(), selection: Consistent };
    const balancer = LoadBalancer.fromAddresses(addresses, options);
    const keys = Array.from({ length: 200 }, (_, i) => `/page/${i}`);
    const mapping = (): (string | undefined)[] => keys.map((key) => balancer.select(key)?.address);
    const before = mapping();
    const [victim] = endpoints as [Endpoint];
    await victim.stop();
    await balancer.runHealthCheck();
    const during = mapping();
    for (const [i, address] of before.entries()) {
      if (address === victim.address) expect(during[i]).not.toBe(victim.address);
      else expect(during[i]).toBe(address);
    }
    await victim.start();
    await balancer.runHealthCheck();
    expect(mapping()).toEqual(before);
  });

  it('LoadBalancer stops at once with the signal while checks are under way, and leaves nothing open', async () => {
    // They accept, and never answer.
    const endpoints = await Promise.all(Array.from({ length: 20 }, () => Endpoint.tcp().start()));
    const addresses = endpoints.map((endpoint) => endpoint.address);
    const open = (): number => endpoints.reduce((sum, endpoint) => sum + endpoint.open, 0);
    const healthCheck = new HttpHealthCheck({ host: 'backend', readTimeoutMs: 60_000 });
    const balancer = LoadBalancer.fromAddresses(addresses, { healthCheck, healthCheckFrequencyMs: 10 });
    let isReady = false;
    const ended = balancer.start(controller.signal, () => {
      isReady = true;
    });
    while (open() < 10) await new Promise((resolve) => setImmediate(resolve));
    controller.abort();
    await ended;
    expect(isReady).toBe(false);
    expect([...balancer.backends].every((backend) => balancer.backends.isHealthy(backend))).toBe(true);
    while (open() > 0) await new Promise((resolve) => setImmediate(resolve));
  });

  it('LoadBalancer checks a thousand backends in one round without a warning', async () => {
    const endpoint = await Endpoint.tcp().start();
    const warnings: unknown[] = [];
    const onWarning = (warning: unknown): void => void warnings.push(warning);
    process.on('warning', onWarning);
    const addresses = Array.from({ length: 1_000 }, (_, i) => `127.0.${i >> 8}.${i & 255}:${endpoint.port}`);
    const balancer = LoadBalancer.fromAddresses(addresses, { healthCheck: new TcpHealthCheck() });
    await balancer.runHealthCheck(controller.signal);
    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', onWarning);
    expect(warnings).toEqual([]);
    while (endpoint.open > 0) await new Promise((resolve) => setImmediate(resolve));
  });
});
