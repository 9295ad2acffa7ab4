/**
 * State that is kept on the main thread and mirrored into worker threads: one health checker serves them all.
 *
 * Recognised by its shape, so that packages which offer such state need not know this one.
 */

import type { StatsTree } from './stats-tree.ts';

/** State that can be copied. Snapshots pass between threads, so they must be structured-cloneable. */
export interface Replicated<S = unknown> {
  /** `service`: only the threads of the service itself have copies. Default: all worker threads of the server have. */
  readonly scope?: 'service';
  /**
   * What the state is about, the same in every thread: of a member of a group, a copy takes over no state with another key.
   * Default: none.
   */
  readonly key?: string;
  /** The complete state at this moment. */
  snapshot(): S;
  /** Takes over a state, or a part of one that `onChange` gave. Throws, and changes nothing, for anything else. */
  apply(snapshot: S): void;
  /**
   * Resolves when all that `apply` was given is in place, for state that takes its time over it: a thread serves nobody before
   * that. Must not reject. Default: it is in place when `apply` returns.
   */
  applied?(): Promise<void>;
  /** Calls `listener` with every change from now on; the result ends that. */
  onChange(listener: (change: S) => void): () => void;
  /** What a copy counts by itself, to be added to the counters of the original. */
  counters?(): StatsTree;
}

/** True for whatever has the three functions. */
export function isReplicated(candidate: unknown): candidate is Replicated {
  const { snapshot, apply, onChange } = (candidate ?? {}) as Partial<Replicated>;
  return typeof snapshot === 'function' && typeof apply === 'function' && typeof onChange === 'function';
}
