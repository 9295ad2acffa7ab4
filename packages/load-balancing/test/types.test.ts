import { HttpPeer } from '@cirque/pool';
import { describe, expect, expectTypeOf, it } from 'vitest';
import {
  type Backend,
  type BackgroundTask,
  backgroundService,
  LoadBalancer,
  type Logger,
  RoundRobin,
  type SelectionFactory,
  TcpHealthCheck,
} from '../src/index.ts';

describe('LoadBalancer', () => {
  it('LoadBalancer fits together with peers and background services as in the quick start', () => {
    const upstreams = LoadBalancer.fromAddresses(['1.1.1.1:443', '127.0.0.1:343'], { selection: RoundRobin });
    upstreams.setHealthCheck(new TcpHealthCheck());
    upstreams.healthCheckFrequencyMs = 1_000;
    const background = backgroundService('health check', upstreams);
    expectTypeOf(background.task).toEqualTypeOf<LoadBalancer>();
    expectTypeOf(background.start).toEqualTypeOf<BackgroundTask['start']>();
    const backend = background.task.select('', 256);
    expectTypeOf(backend).toEqualTypeOf<Backend | undefined>();
    expect(backend && new HttpPeer(backend)).toBeInstanceOf(HttpPeer);
  });

  it('LoadBalancer takes console for a logger, and refuses wrong uses at compile time', () => {
    expectTypeOf<Console>().toExtend<Logger>();
    expectTypeOf<typeof RoundRobin>().toExtend<SelectionFactory>();
    const balancer = LoadBalancer.fromAddresses(['a:1'], { logger: console });
    // @ts-expect-error keys are text or bytes
    expect(balancer.select(7)?.address).toBe('a:1');
    // @ts-expect-error snapshots are read-only
    expect(() => (balancer.backends.size = 3)).toThrow(TypeError);
    // @ts-expect-error the discovery is given by the addresses
    LoadBalancer.fromAddresses([], { discovery: { discover: () => ({ backends: [] }) } });
  });
});
