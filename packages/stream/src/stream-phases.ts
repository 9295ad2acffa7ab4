/**
 * The phase table of TCP proxies: name, order, what may follow. The chart in the docs, the order tests and the check of a
 * proxy's phases at construction all come from it.
 */
import type { StreamPhases } from './stream-proxy.ts';

/** Every phase of a TCP connection. */
export type StreamPhaseName = keyof StreamPhases<unknown>;

/** One row of the table. */
export interface StreamPhaseRow {
  readonly name: StreamPhaseName;
  /** What can come next when every phase is present; an absent one is run through. */
  readonly next: readonly StreamPhaseName[];
  /** How often per connection. */
  readonly runs: 'once' | 'per read' | 'per attempt' | 'on failure';
}

/** The phases in their order. */
export const STREAM_PHASES: readonly StreamPhaseRow[] = [
  { name: 'connectionFilter', runs: 'once', next: ['newCtx'] },
  { name: 'newCtx', runs: 'once', next: ['peek', 'logging'] },
  { name: 'peek', runs: 'per read', next: ['peek', 'upstreamPeer', 'logging'] },
  {
    name: 'upstreamPeer',
    runs: 'per attempt',
    next: ['connectedToUpstream', 'failToConnect', 'upstreamPeer', 'logging'],
  },
  { name: 'failToConnect', runs: 'on failure', next: ['upstreamPeer', 'logging'] },
  { name: 'connectedToUpstream', runs: 'per attempt', next: ['upstreamPeer', 'logging'] },
  { name: 'logging', runs: 'once', next: [] },
];
