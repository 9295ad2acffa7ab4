/**
 * The contract between a balancer and its algorithm.
 *
 * An algorithm only says in which order the backends are to be considered for a key. Whether one is healthy, how many
 * are tried and what becomes of the request is the balancer's business (backends.ts). A new algorithm is a new file
 * that exports a `SelectionFactory`; `test/selection.contract.ts` is the suite it has to pass.
 */
import type { Backend } from '../backend.ts';

/** What a choice may depend on: text, hashed as UTF-8, or bytes. Algorithms without hashing ignore it. */
export type SelectionKey = string | Uint8Array;

/** How the use of a picked backend ended. */
export interface PickOutcome {
  /** False when the backend is to blame: it could not be reached, timed out, or answered with an error. */
  readonly ok: boolean;
  /** Time until its answer, if there was one. */
  readonly latencyMs?: number | undefined;
}

/**
 * An algorithm at work on one list of backends. Positions are indexes into the list it was built from.
 *
 * `first` begins a choice and abandons the one before; `next` goes on with it after the candidate was refused. The
 * candidates of one choice are distinct, and all of them come up in the end. Neither method allocates or throws.
 */
export interface Selection {
  /** The position of the best candidate for this key, -1 when the list is empty. */
  first(key: SelectionKey): number;
  /** The position of the best candidate among those not yet offered in this choice, -1 when all have been. */
  next(): number;
  /**
   * The number of uses under way of this position is now this. Called after a pick and after a release, and once for each
   * position with uses under way when this selection takes over from another one. Not for `select`, which counts nothing.
   */
  onLoad?(position: number, inFlight: number): void;
  /** A use of this position has ended; called after `onLoad`. Uses of backends that have left the list are not reported. */
  onDone?(position: number, outcome: PickOutcome | undefined): void;
}

/** What an algorithm may want to know when it is built. */
export interface SelectionContext {
  /** What the same factory built for the list before. */
  readonly previous: Selection | undefined;
  /** Monotonic milliseconds. */
  now(): number;
  /** From 0 up to but not including 1. */
  random(): number;
}

/** Builds the algorithm's state for a list of backends; a class with a static `build` is one. */
export interface SelectionFactory {
  /** For logs. */
  readonly name: string;
  /**
   * Runs whenever the list has changed. Every weight is at least 1, addresses are distinct, all are of one priority, the list
   * may be empty. `previous` is what this factory built for the list before, so that counters can live on. A balancer
   * always passes the context.
   */
  build(backends: readonly Backend[], previous: Selection | undefined, context?: SelectionContext): Selection;
  /**
   * As `build`, in steps of at most about a millisecond: the balancer lets the event loop run between them. For algorithms whose
   * `build` takes longer than 5 ms for 100,000 backends. What it throws is as if `build` had thrown.
   */
  buildInSteps?(
    backends: readonly Backend[],
    previous: Selection | undefined,
    context?: SelectionContext,
  ): Generator<undefined, Selection, undefined>;
}
