/**
 * What the main thread tells the gateways of other threads.
 */
import type { BackendsChange, BalancerChange } from '@cirque/load-balancing';
import type { GatewayConfig } from '../config/gateway-config.ts';

/** A configuration with the states of its balancers: complete, also what a thread begins with. */
export interface ConfigChange {
  readonly kind: 'config';
  readonly config: GatewayConfig;
  readonly balancers: Readonly<Record<string, BackendsChange>>;
}

/** A balancer of the present configuration has found something out. */
export interface UpstreamChange {
  readonly kind: 'upstream';
  readonly name: string;
  readonly change: BalancerChange;
}

export type GatewayChange = ConfigChange | UpstreamChange;
