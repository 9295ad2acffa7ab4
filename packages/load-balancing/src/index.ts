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
export { DnsDiscovery, type DnsDiscoveryOptions } from './discovery/dns.ts';
export type { DnsQueryOptions } from './discovery/dns-queries.ts';
export { FileDiscovery, type FileDiscoveryOptions } from './discovery/file.ts';
export { HttpDiscovery, type HttpDiscoveryOptions } from './discovery/http.ts';
export { SrvDiscovery, type SrvDiscoveryOptions } from './discovery/srv.ts';
export { StaticDiscovery, type StaticDiscoveryOptions } from './discovery/static.ts';
export type { TtlOptions } from './discovery/ttl-bounds.ts';
export type { TlsCheckOptions } from './health/connect-backend.ts';
export { type CustomHealthCheckOptions, customHealthCheck } from './health/custom-check.ts';
export { GrpcHealthCheck, type GrpcHealthCheckOptions } from './health/grpc-check.ts';
export type { HealthCheck, HealthEvent, HealthObserver } from './health/health-check.ts';
export { HttpHealthCheck, type HttpHealthCheckOptions } from './health/http-check.ts';
export type { StatusRange } from './health/http-expectation.ts';
export type { HttpCheckResponse } from './health/http-probe.ts';
export { TcpHealthCheck, type TcpHealthCheckOptions } from './health/tcp-check.ts';
export { TlsHealthCheck, type TlsHealthCheckOptions } from './health/tls-check.ts';
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
  StateChange,
} from './replication/balancer-change.ts';
export {
  BoundedConsistent,
  type BoundedConsistentFactory,
  type BoundedConsistentOptions,
} from './selection/bounded-consistent.ts';
export { Consistent, type ConsistentFactory } from './selection/consistent.ts';
export { FnvHash, FnvHash32 } from './selection/fnv-hash.ts';
export { LeastConnections } from './selection/least-connections.ts';
export { Maglev, type MaglevFactory, type MaglevOptions } from './selection/maglev.ts';
export { PeakEwma, type PeakEwmaFactory, type PeakEwmaOptions } from './selection/peak-ewma.ts';
export { PowerOfTwoChoices } from './selection/power-of-two.ts';
export { Random, type RandomFactory } from './selection/random.ts';
export { Rendezvous, type RendezvousFactory, type RendezvousOptions } from './selection/rendezvous.ts';
export { RoundRobin } from './selection/round-robin.ts';
export type {
  PickOutcome,
  Selection,
  SelectionContext,
  SelectionFactory,
  SelectionKey,
} from './selection/selection.ts';
export { SourceIpHash, type SourceIpHashFactory, type SourceIpHashOptions } from './selection/source-ip-hash.ts';
export { Subset, type SubsetOptions } from './selection/subset.ts';
export type { Addressed } from './sticky/backend-tokens.ts';
export { StickyCookie, type StickyCookieOptions } from './sticky/sticky-cookie.ts';
export { StickyTable, type StickyTableOptions } from './sticky/sticky-table.ts';
export type { TimeSource } from './time-source.ts';
