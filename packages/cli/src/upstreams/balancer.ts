/**
 * The balancer of a group, from what the file says.
 */
import { Backend, LoadBalancer, type LoadBalancerOptions, type Logger } from '@cirque/load-balancing';
import type { UpstreamConfig, UpstreamServerConfig } from '../config/gateway-config.ts';

/** What a group is given beside its configuration. */
export interface GroupParts {
  readonly logger: Logger;
  /** For tests: the clock and the timers of the balancer. */
  readonly time?: LoadBalancerOptions['time'];
  /** For tests: numbers from 0 up to but not including 1. */
  readonly random?: LoadBalancerOptions['random'];
}

/** @throws TypeError or RangeError for values that cannot work. */
export function balancerOf(config: UpstreamConfig, parts: GroupParts): LoadBalancer {
  const { discovery } = config;
  if (discovery.kind !== 'static') throw new TypeError(`discovery ${discovery.kind} is not there yet`);
  return staticBalancer(discovery.servers, { ...parts });
}

/** A list in the file is there at once. Names in it stay names: they are resolved when a connection is made. */
function staticBalancer(
  servers: readonly UpstreamServerConfig[],
  options: Omit<LoadBalancerOptions, 'discovery'>,
): LoadBalancer {
  const backends = servers.map(({ address, weight, priority, maxConnections }) =>
    Backend.parse(address, { weight, priority, maxConnections }),
  );
  const balancer = LoadBalancer.fromAddresses(backends, options);
  servers.forEach(({ state }, at) => {
    if (state !== 'active') balancer.setState(backends[at] as Backend, state);
  });
  return balancer;
}
