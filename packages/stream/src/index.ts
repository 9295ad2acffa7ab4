/** Entry of @cirque/stream. Only re-exports. */
export { hostMatches } from './peek/host-matches.ts';
export { peekHttpHost } from './peek/http-host.ts';
export { startsWith } from './peek/starts-with.ts';
export { peekTls, type TlsHello } from './peek/tls-hello.ts';
export type { StreamOptions } from './stream-options.ts';
export { StreamPeer, type StreamPeerOptions } from './stream-peer.ts';
export { STREAM_PHASES, type StreamPhaseName, type StreamPhaseRow } from './stream-phases.ts';
export { defineStream, type NoAnswer, type StreamPhases, StreamProxy } from './stream-proxy.ts';
export { type StreamProxyService, type StreamServiceOptions, streamProxyService } from './stream-service.ts';
export type { CloseReason, StreamSession, UpstreamEnd } from './stream-session.ts';
export { STREAM_CHANNELS, type StreamMessage } from './tcp/stream-events.ts';
export type { TcpApp } from './tcp/tcp-app.ts';
export type { StreamStats, UpstreamStats } from './tcp/tcp-counters.ts';
export { UDP_CHANNELS, type UdpSessionEvent } from './udp/udp-events.ts';
export type { UdpOptions } from './udp-options.ts';
export { UDP_PHASES, type UdpPhaseName, type UdpPhaseRow } from './udp-phases.ts';
export { defineUdp, type UdpPhases, UdpProxy } from './udp-proxy.ts';
export {
  type UdpAddressOptions,
  UdpProxyService,
  type UdpProxyServiceOptions,
  udpProxyService,
} from './udp-service.ts';
export type { UdpCloseReason, UdpSession } from './udp-session.ts';
