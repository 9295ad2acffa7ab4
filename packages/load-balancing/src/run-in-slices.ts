/**
 * Runs long work in short slices, so that requests are served in between.
 *
 * The work is a generator that yields now and then (every millisecond or so); whoever starts it decides whether it runs at once
 * or in slices. What the work does is its own affair.
 */

/** Work in steps with a result. */
export type Steps<T> = Generator<undefined, T, undefined>;

/** How work is cut up. */
export interface SliceOptions {
  /** How long a slice may take. The last step of a slice may exceed it. Default 8. */
  readonly budgetMs?: number | undefined;
  /** Aborting it ends the work between two steps; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** In a loop over many items, a step may end where `(i & STEP_MASK) === 0`: 128 items at a time. */
export const STEP_MASK = 127;

/** Runs all steps now. Throws what the work throws. */
export function runAtOnce<T>(work: Steps<T>): T {
  let step = work.next();
  while (step.done !== true) step = work.next();
  return step.value;
}

/** Runs the first slice now and the others in turns of the event loop of their own. Rejects with what the work throws. */
export async function runInSlices<T>(work: Steps<T>, options: SliceOptions = {}): Promise<T> {
  const { budgetMs = 8, signal } = options;
  const steps = abortable(work, signal);
  for (;;) {
    const end = performance.now() + budgetMs;
    do {
      const step = steps.next();
      if (step.done === true) return step.value;
    } while (performance.now() < end);
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}

/** The same work, which can be called off between two steps: it throws the signal's reason then. */
export function* abortable<T>(work: Steps<T>, signal: AbortSignal | undefined): Steps<T> {
  try {
    for (;;) {
      signal?.throwIfAborted();
      const step = work.next();
      if (step.done === true) return step.value;
      yield;
    }
  } finally {
    // Lets the work clean up; does nothing when it has come to its end.
    work.return(undefined as T);
  }
}
