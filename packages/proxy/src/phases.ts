/**
 * The phase table: name, order, what may follow. The chart in the docs, the order tests and the check of a proxy's
 * phases at construction all come from it.
 */
import type { ProxyPhases } from './proxy-http.ts';

/** Every phase. */
export type PhaseName = keyof ProxyPhases<unknown>;

/** One row of the table. */
export interface PhaseRow {
  readonly name: PhaseName;
  /** What can come next; `logging` is always last but for `persistConnectionContext`. */
  readonly next: readonly PhaseName[];
  /** How often per request. */
  readonly runs: 'once' | 'per attempt' | 'per chunk' | 'per head' | 'on failure';
}

const TABLE = [
  { name: 'newCtx', runs: 'once', next: ['onConnectionReuse', 'earlyRequestFilter'] },
  { name: 'onConnectionReuse', runs: 'once', next: ['earlyRequestFilter'] },
  { name: 'earlyRequestFilter', runs: 'once', next: ['requestFilter', 'failToProxy'] },
  { name: 'requestFilter', runs: 'once', next: ['proxyUpstreamFilter', 'logging', 'failToProxy'] },
  { name: 'proxyUpstreamFilter', runs: 'once', next: ['upstreamPeer', 'logging', 'failToProxy'] },
  { name: 'upstreamPeer', runs: 'per attempt', next: ['connectedToUpstream', 'failToConnect', 'failToProxy'] },
  { name: 'failToConnect', runs: 'on failure', next: ['upstreamPeer', 'failToProxy'] },
  { name: 'connectedToUpstream', runs: 'per attempt', next: ['upstreamRequestFilter', 'errorWhileProxy'] },
  {
    name: 'upstreamRequestFilter',
    runs: 'per attempt',
    next: ['requestBodyFilter', 'upstreamResponseFilter', 'errorWhileProxy'],
  },
  {
    name: 'requestBodyFilter',
    runs: 'per chunk',
    next: ['requestBodyFilter', 'upstreamResponseFilter', 'errorWhileProxy'],
  },
  { name: 'upstreamResponseFilter', runs: 'per head', next: ['responseFilter', 'errorWhileProxy'] },
  {
    name: 'responseFilter',
    runs: 'per head',
    next: ['upstreamResponseFilter', 'upstreamResponseBodyFilter', 'logging', 'errorWhileProxy'],
  },
  { name: 'upstreamResponseBodyFilter', runs: 'per chunk', next: ['responseBodyFilter', 'errorWhileProxy'] },
  { name: 'responseBodyFilter', runs: 'per chunk', next: ['upstreamResponseBodyFilter', 'logging', 'errorWhileProxy'] },
  { name: 'errorWhileProxy', runs: 'on failure', next: ['upstreamPeer', 'failToProxy'] },
  { name: 'failToProxy', runs: 'on failure', next: ['suppressErrorLog', 'logging'] },
  { name: 'suppressErrorLog', runs: 'on failure', next: ['requestSummary', 'logging'] },
  { name: 'requestSummary', runs: 'on failure', next: ['logging'] },
  { name: 'logging', runs: 'once', next: ['persistConnectionContext'] },
  { name: 'persistConnectionContext', runs: 'once', next: [] },
] as const satisfies readonly PhaseRow[];

type Missing = Exclude<PhaseName, (typeof TABLE)[number]['name']>;
// A phase that is not in the table does not compile here, and the error names it.
const complete: Missing extends never ? true : Missing = true;

/** The phases in their order. */
export const PHASES: readonly PhaseRow[] = complete ? TABLE : [];
