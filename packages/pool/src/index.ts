export type { ClientSession, ClientSessionHandler } from './client-session.ts';
export type { Opening, OpeningWaiter } from './connect-tcp.ts';
export { ConnectionPool, type Poolable, PoolEntry, type PoolStats } from './connection-pool.ts';
export { type ConnectMessage, POOL_CHANNELS } from './diagnostics.ts';
export { type ConnectorStats, HttpConnector, type HttpConnectorOptions } from './http-connector.ts';
export { Http1ClientSession, type SessionOwner } from './http1-client-session.ts';
export type { Http2PeerOptions } from './http2-peer-options.ts';
export { HttpPeer, type Peer } from './peer.ts';
export { type PeerCounters, PeerTable } from './peer-counters.ts';
export {
  type ConnectionTracer,
  type CustomConnect,
  DEFAULT_PEER_OPTIONS,
  type PeerOptions,
  type ResolvedPeerOptions,
  resolvePeerOptions,
  type UpgradePolicy,
  type UpstreamRequestPolicy,
} from './peer-options.ts';
export type { ClientCertificate, ClientCertOptions, Pem, TrustStore } from './pem.ts';
export { proxyProtocolOf } from './proxy-protocol-option.ts';
export type { ProxyTunnel } from './proxy-tunnel-option.ts';
export { type LookupAll, Resolver, type ResolverOptions } from './resolver.ts';
export { reuseKey } from './reuse-key.ts';
export type { SessionRequest } from './session-request.ts';
export type { BindTo, PortRange, ResolvedTcpPeerOptions, TcpPeerOptions } from './tcp-peer-options.ts';
export type { Alpn, ResolvedTlsPeerOptions, TlsPeerOptions, TlsVersion } from './tls-peer-options.ts';
export { TransportConnector, type TransportConnectorOptions } from './transport-connector.ts';
