/**
 * The balancer of a group, from what the file says.
 */
import {
  Backend,
  LoadBalancer,
  type LoadBalancerOptions,
  type Logger,
  type TlsCheckOptions,
} from '@cirque/load-balancing';
import type { UpstreamConfig, UpstreamServerConfig } from '../config/gateway-config.ts';
import { discoveryOf } from './discovery.ts';
import { healthCheckOf } from './health-check.ts';
import { selectionOf } from './selection.ts';

/** What a group is given beside its configuration. */
export interface GroupParts {
  readonly logger: Logger;
  /** For tests: the clock and the timers of the balancer. */
  readonly time?: LoadBalancerOptions['time'];
  /** For tests: numbers from 0 up to but not including 1. */
  readonly random?: LoadBalancerOptions['random'];
}

/**
 * @param tls how the group speaks TLS, for its checks.
 * @throws TypeError or RangeError for values that cannot work.
 */
export function balancerOf(config: UpstreamConfig, tls: TlsCheckOptions, parts: GroupParts): LoadBalancer {
  const { balance, discovery, health, maxConnections, panicThreshold, passiveHealth, slowStartMs } = config;
  const options: Omit<LoadBalancerOptions, 'discovery'> = {
    ...parts,
    selection: selectionOf(balance),
    maxConnections,
    queue: { size: config.queueSize, timeoutMs: config.queueTimeoutMs },
    slowStartMs,
    panicThreshold,
    passiveHealth,
    ...(health === undefined
      ? {}
      : { healthCheck: healthCheckOf(health, tls), healthCheckFrequencyMs: health.intervalMs }),
  };
  if (discovery.kind === 'static') return staticBalancer(discovery.servers, options);
  return new LoadBalancer({ ...options, ...discoveryOf(discovery) });
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
