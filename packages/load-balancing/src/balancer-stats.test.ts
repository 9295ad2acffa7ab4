import { describe, expect, expectTypeOf, it } from 'vitest';
import { Backend } from './backend.ts';
import type { TaskStats } from './background-service.ts';
import type { BalancerStats } from './balancer-stats.ts';
import type { HealthCheck } from './health/health-check.ts';
import { LoadBalancer } from './load-balancer.ts';

const parse = (...texts: string[]): Backend[] => texts.map((text) => Backend.parse(text));

describe('LoadBalancer.stats', () => {
  it('LoadBalancer.stats counts every way of choosing, and no failure to choose', () => {
    const balancer = LoadBalancer.fromAddresses(['a:1', 'b:1']);
    for (let i = 0; i < 3; i += 1) balancer.select('');
    balancer.selectWith('', 9, () => true);
    balancer.selectWith('', 9, () => false);
    balancer.pick('')?.done();
    balancer.pick('', { accept: ({ address }) => address === 'b:1' });
    balancer.select('', 0);
    const { byAddress, picks } = balancer.stats();
    expect([picks, byAddress['a:1']?.picks, byAddress['b:1']?.picks]).toEqual([6, 3, 3]);
    balancer.setEnabled('a:1', false);
    balancer.setEnabled('b:1', false);
    expect(balancer.select('')).toBeUndefined();
    expect(balancer.stats()).toMatchObject({ backends: 2, healthy: 2, enabled: 0, picks: 6 });
  });

  it('LoadBalancer.stats counts checks, and shows the present state', async () => {
    const healthCheck: HealthCheck = {
      check: async ({ address }) => {
        if (address === 'a:1') throw new Error('down');
      },
      healthThreshold: () => 2,
    };
    const balancer = LoadBalancer.fromAddresses(['a:1', 'b:1'], { healthCheck });
    balancer.setEnabled('b:1', false);
    const state = (): unknown[] => {
      const { backends, byAddress, enabled, healthy } = balancer.stats();
      return [backends, healthy, enabled, byAddress];
    };
    await balancer.runHealthCheck();
    const none = { picks: 0, inFlight: 0, failures: 0, ejected: 0, young: 0 };
    // Nobody checks what is being repaired.
    const b = { ...none, healthy: 1, enabled: 0, state: 'maintenance', checks: 0, checkFailures: 0 };
    const a = { ...none, enabled: 1, state: 'active' };
    expect(state()).toEqual([2, 2, 1, { 'a:1': { ...a, healthy: 1, checks: 1, checkFailures: 1 }, 'b:1': b }]);
    await balancer.runHealthCheck();
    expect(state()).toEqual([2, 1, 1, { 'a:1': { ...a, healthy: 0, checks: 2, checkFailures: 2 }, 'b:1': b }]);
  });

  it('LoadBalancer.stats keeps counts when the list changes, and the sum of those that have left', async () => {
    let backends = parse('a:1', 'b:1');
    const balancer = new LoadBalancer({ discovery: { discover: () => ({ backends }) } });
    expect(balancer.stats()).toEqual({
      backends: 0,
      healthy: 0,
      enabled: 0,
      ejected: 0,
      panic: 0,
      picks: 0,
      inFlight: 0,
      waiting: 0,
      waited: 0,
      waitTimeouts: 0,
      queueRejections: 0,
      byAddress: {},
    });
    await balancer.update();
    for (let i = 0; i < 5; i += 1) balancer.select('');
    backends = [...parse('c:1'), Backend.parse('a:1', { weight: 2 })];
    await balancer.update();
    expect(balancer.stats().byAddress).toMatchObject({ 'c:1': { picks: 0 }, 'a:1': { picks: 3 } });
    balancer.apply(LoadBalancer.fromAddresses(['c:1', 'b:1']).snapshot());
    balancer.select('');
    expect(balancer.stats()).toMatchObject({ picks: 6, byAddress: { 'c:1': { picks: 1 }, 'b:1': { picks: 0 } } });
    expect(Object.keys(balancer.stats().byAddress)).toEqual(['c:1', 'b:1']);
  });

  it('LoadBalancer.stats is plain data that a server merges over its threads', () => {
    expectTypeOf<BalancerStats>().toExtend<TaskStats>();
    const stats = LoadBalancer.fromAddresses(['a:1']).stats();
    expect(structuredClone(stats)).toEqual(JSON.parse(JSON.stringify(stats)));
  });
});

it('LoadBalancer.counters are what a copy counts by itself, to be added to the numbers of the original', () => {
  const balancer = LoadBalancer.fromAddresses(['10.0.0.1:80', '10.0.0.2:80']);
  for (let i = 0; i < 3; i += 1) balancer.select('');
  balancer.pick('');
  balancer.pick('')?.done({ ok: false });
  expect(balancer.counters()).toEqual({
    picks: 5,
    inFlight: 1,
    ejected: 0,
    panic: 0,
    waiting: 0,
    waited: 0,
    waitTimeouts: 0,
    queueRejections: 0,
    byAddress: {
      '10.0.0.1:80': { picks: 3, inFlight: 0, failures: 1, ejected: 0 },
      '10.0.0.2:80': { picks: 2, inFlight: 1, failures: 0, ejected: 0 },
    },
  });
});
