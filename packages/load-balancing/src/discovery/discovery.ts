/**
 * The contract of a service discovery: where the list of backends comes from.
 */
import type { Backend } from '../backend.ts';

/** Deadline of one discovery where it names none. */
export const DEFAULT_DISCOVERY_TIMEOUT_MS = 10_000;

/** The answer of a discovery: the whole set, not a difference. */
export interface Discovered {
  /** Entries with the same address are merged, their weights added up. An empty set is an answer, too. */
  readonly backends: Iterable<Backend>;
  /** By canonical address: false takes a backend out of rotation without removing it. Default all true. */
  readonly enabled?: ReadonlyMap<string, boolean> | undefined;
  /** Time after which to ask again, in the place of `updateFrequencyMs`: that of the records of a name server, say. */
  readonly refreshAfterMs?: number | undefined;
}

/** A source of backends. */
export interface ServiceDiscovery {
  /**
   * Finds out the present set. Throwing or rejecting keeps the set known so far. `signal` aborts at `timeoutMs` and at
   * shutdown; the answer is not waited for after that.
   */
  discover(signal: AbortSignal): Discovered | Promise<Discovered>;
  /**
   * Calls `changed` whenever there may be news, until the signal aborts: the balancer discovers soon after, once for several
   * calls. Called once, when the background work begins. What it throws is logged.
   */
  watch?(changed: () => void, signal: AbortSignal): void;
  /** A discovery that takes longer has failed. Default 10,000. */
  readonly timeoutMs?: number;
}
