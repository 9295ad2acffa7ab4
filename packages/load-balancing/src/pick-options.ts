/**
 * What the callers of a balancer may say about a choice, and the states in which an operator may put a backend.
 */
import type { Accept } from './backends.ts';

/** How `pick` chooses. */
export interface PickOptions {
  /** How many backends of each priority to consider at most. Default 256. */
  readonly maxIterations?: number | undefined;
  /** Default: whoever is in rotation. Says who would do: one that is at its cap is not taken all the same. */
  readonly accept?: Accept | undefined;
  /**
   * Canonical address of a backend that goes before all others, whatever the algorithm says: the one that a client is stuck
   * to. Taken if it is active or draining, healthy, not ejected and below its cap, and if `accept`, told that it is healthy, takes
   * it; otherwise the choice is made as always.
   */
  readonly prefer?: string | undefined;
}

/** How `acquire` chooses and waits. */
export interface AcquireOptions extends PickOptions {
  /** Aborting it ends the waiting; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** What an operator has decided about a backend. */
export type OperatorState =
  /** Takes its share. */
  | 'active'
  /** Gets nothing new but what prefers it; what is under way goes on. Still health-checked. */
  | 'draining'
  /** Gets nothing new at all, and is not health-checked; what is under way goes on. */
  | 'maintenance';
