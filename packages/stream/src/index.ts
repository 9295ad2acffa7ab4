/** Entry of @cirque/stream. Only re-exports. */
export type { UdpOptions } from './udp-options.ts';
export { UDP_PHASES, type UdpPhaseName, type UdpPhaseRow } from './udp-phases.ts';
export { defineUdp, type UdpPhases, UdpProxy } from './udp-proxy.ts';
export type { UdpCloseReason, UdpSession } from './udp-session.ts';
