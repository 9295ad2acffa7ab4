/**
 * The phase table: name, order, what may follow. The chart in the docs, the order tests and the check of a proxy's
 * phases at construction all come from it.
 */
import type { ProxyPhases } from './proxy-http.ts';

/** Every phase of a request. The two that fill the module chains belong to no request. */
export type PhaseName = Exclude<keyof ProxyPhases<unknown>, 'initDownstreamModules' | 'initUpstreamModules'>;

/** One row of the table. */
export interface PhaseRow {
  readonly name: PhaseName;
  /**
   * What can come next when every phase is present; an absent one is run through. `logging` is always last but for
   * `persistConnectionContext`.
   */
  readonly next: readonly PhaseName[];
  /** How often per request. */
  readonly runs: 'once' | 'per attempt' | 'per chunk' | 'per head' | 'on failure';
}

/** What a failure leads to while there is an upstream connection, and when the client leaves. */
const BROKEN = ['errorWhileProxy', 'failToProxy'] as const;

const TABLE = [
  // A request whose context could not be made is only logged.
  { name: 'newCtx', runs: 'once', next: ['onConnectionReuse', 'earlyRequestFilter', 'logging'] },
  { name: 'onConnectionReuse', runs: 'once', next: ['earlyRequestFilter', 'failToProxy'] },
  { name: 'earlyRequestFilter', runs: 'once', next: ['requestFilter', 'failToProxy'] },
  { name: 'requestFilter', runs: 'once', next: ['proxyUpstreamFilter', 'logging', 'failToProxy'] },
  { name: 'proxyUpstreamFilter', runs: 'once', next: ['upstreamPeer', 'logging', 'failToProxy'] },
  {
    name: 'upstreamPeer',
    runs: 'per attempt',
    next: ['connectedToUpstream', 'failToConnect', 'failToProxy', 'requestSummary'],
  },
  { name: 'failToConnect', runs: 'on failure', next: ['failToProxy', 'requestSummary'] },
  { name: 'connectedToUpstream', runs: 'per attempt', next: ['upstreamRequestFilter', ...BROKEN] },
  {
    name: 'upstreamRequestFilter',
    runs: 'per attempt',
    next: ['requestBodyFilter', 'upstreamResponseFilter', ...BROKEN],
  },
  {
    name: 'requestBodyFilter',
    runs: 'per chunk',
    // The response may come while the request body is still on its way: this phase and those after it run side by side.
    next: [
      'requestBodyFilter',
      'upstreamResponseFilter',
      'responseFilter',
      'upstreamResponseBodyFilter',
      'responseBodyFilter',
      'logging',
      ...BROKEN,
    ],
  },
  { name: 'upstreamResponseFilter', runs: 'per head', next: ['responseFilter', 'requestBodyFilter', ...BROKEN] },
  {
    name: 'responseFilter',
    runs: 'per head',
    next: ['upstreamResponseFilter', 'upstreamResponseBodyFilter', 'requestBodyFilter', ...BROKEN],
  },
  {
    name: 'upstreamResponseBodyFilter',
    runs: 'per chunk',
    next: ['responseBodyFilter', 'requestBodyFilter', 'upstreamResponseTrailerFilter', ...BROKEN],
  },
  {
    name: 'responseBodyFilter',
    runs: 'per chunk',
    next: ['upstreamResponseBodyFilter', 'upstreamResponseTrailerFilter', 'requestBodyFilter', 'logging', ...BROKEN],
  },
  {
    name: 'upstreamResponseTrailerFilter',
    runs: 'once',
    next: ['responseTrailerFilter', 'requestBodyFilter', 'logging', ...BROKEN],
  },
  { name: 'responseTrailerFilter', runs: 'once', next: ['requestBodyFilter', 'logging', ...BROKEN] },
  { name: 'errorWhileProxy', runs: 'on failure', next: ['failToProxy', 'requestSummary'] },
  { name: 'failToProxy', runs: 'on failure', next: ['suppressErrorLog', 'logging'] },
  { name: 'suppressErrorLog', runs: 'on failure', next: ['requestSummary', 'logging'] },
  // For the log line of a failed request, and for that of an attempt that is followed by another one.
  { name: 'requestSummary', runs: 'on failure', next: ['logging', 'upstreamPeer'] },
  { name: 'logging', runs: 'once', next: ['persistConnectionContext'] },
  { name: 'persistConnectionContext', runs: 'once', next: [] },
] as const satisfies readonly PhaseRow[];

type Missing = Exclude<PhaseName, (typeof TABLE)[number]['name']>;
// A phase that is not in the table does not compile here, and the error names it.
const complete: Missing extends never ? true : Missing = true;

/** The phases in their order. */
export const PHASES: readonly PhaseRow[] = complete ? TABLE : [];
