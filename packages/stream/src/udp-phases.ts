/**
 * The phase table of UDP proxies: name, order, what may follow. The chart in the docs, the order tests and the check of a
 * proxy's phases at construction all come from it.
 */
import type { UdpPhases } from './udp-proxy.ts';

/** Every phase of a UDP session. */
export type UdpPhaseName = keyof UdpPhases<unknown>;

/** One row of the table. */
export interface UdpPhaseRow {
  readonly name: UdpPhaseName;
  /** What can come next when every phase is present; an absent one is run through. */
  readonly next: readonly UdpPhaseName[];
  /** How often per session. */
  readonly runs: 'once' | 'per datagram' | 'per attempt' | 'on failure';
}

const RELAYING = ['datagramFromClient', 'datagramFromUpstream', 'failToSend', 'logging'] as const;

/** The phases in their order. */
export const UDP_PHASES: readonly UdpPhaseRow[] = [
  { name: 'sessionFilter', runs: 'once', next: ['newCtx'] },
  { name: 'newCtx', runs: 'once', next: ['datagramFromClient', 'logging'] },
  { name: 'datagramFromClient', runs: 'per datagram', next: ['upstreamPeer', ...RELAYING] },
  { name: 'upstreamPeer', runs: 'per attempt', next: ['upstreamPeer', ...RELAYING] },
  { name: 'datagramFromUpstream', runs: 'per datagram', next: RELAYING },
  { name: 'failToSend', runs: 'on failure', next: ['upstreamPeer', 'datagramFromClient', 'logging'] },
  { name: 'logging', runs: 'once', next: [] },
];
