/** Entry of @cirque/load-balancing. Only re-exports. */

export { Backend, type BackendOptions, type InetBackend, type UnixBackend } from './backend.ts';
export type { Accept, Backends } from './backends.ts';
export {
  type BackgroundService,
  type BackgroundTask,
  backgroundService,
  type TaskStats,
} from './background-service.ts';
export type { BackendStats, BalancerCounters, BalancerStats } from './balancer-stats.ts';
export type { Discovered, ServiceDiscovery } from './discovery/discovery.ts';
export { StaticDiscovery, type StaticDiscoveryOptions } from './discovery/static.ts';
export type { TlsCheckOptions } from './health/connect-backend.ts';
export type { HealthCheck, HealthEvent, HealthObserver } from './health/health-check.ts';
export { HttpHealthCheck, type HttpHealthCheckOptions } from './health/http-check.ts';
export type { HttpCheckResponse } from './health/http-probe.ts';
export { TcpHealthCheck, type TcpHealthCheckOptions } from './health/tcp-check.ts';
export { LoadBalancer } from './load-balancer.ts';
export type { LoadBalancerOptions, QueueOptions } from './load-balancer-options.ts';
export type { Logger } from './logger.ts';
export { PassiveHealth, type PassiveHealthParts } from './passive/passive-health.ts';
export type { PassiveHealthOptions } from './passive/passive-health-options.ts';
export type { Pick } from './pick.ts';
export type { AcquireOptions, OperatorState, PickOptions } from './pick-options.ts';
export type {
  BackendsChange,
  BalancerChange,
  DataEntries,
  HealthChange,
  SwitchChange,
} from './replication/balancer-change.ts';
export { Consistent, type ConsistentFactory } from './selection/consistent.ts';
export { FnvHash, FnvHash32 } from './selection/fnv-hash.ts';
export { Random, type RandomFactory } from './selection/random.ts';
export { RoundRobin } from './selection/round-robin.ts';
export type {
  PickOutcome,
  Selection,
  SelectionContext,
  SelectionFactory,
  SelectionKey,
} from './selection/selection.ts';
export type { Addressed } from './sticky/backend-tokens.ts';
export { StickyCookie, type StickyCookieOptions } from './sticky/sticky-cookie.ts';
export { StickyTable, type StickyTableOptions } from './sticky/sticky-table.ts';
export type { TimeSource } from './time-source.ts';
