/**
 * In which order new lists, and changes that build on them, are taken over: as they come, one after the other.
 *
 * A short list is taken over at once. A long one takes slices of the event loop; what comes meanwhile waits behind it.
 */
import { runAtOnce, runInSlices, type Steps } from './run-in-slices.ts';

/** Up to here a list is taken over in one go. */
const IN_ONE_GO = 2_000;

/** A change that may take long. */
export interface ListChange<T> {
  /** How many backends it is about: of the new list or of the one before, whichever is longer. */
  readonly size: number;
  /** Called when those before it are through. */
  run(): Steps<T>;
}

/** The changes of one balancer. */
export class ListChanges {
  /** Resolves when the last of those under way is through. */
  #last: Promise<void> | undefined;

  /** Something is under way: what must come after it has to wait. */
  get isBusy(): boolean {
    return this.#last !== undefined;
  }

  /** Resolves when nothing is under way any more. Never rejects. */
  async whenDone(): Promise<void> {
    while (this.#last !== undefined) await this.#last;
  }

  /** Runs to the end now, whatever its length. Only while nothing is under way. */
  runNow<T>(change: ListChange<T>): T {
    return runAtOnce(change.run());
  }

  /**
   * Runs a change in its turn: now, if it is short and nothing is under way. Throws, or rejects, with what it throws; those
   * after it are not concerned.
   */
  run<T>(change: ListChange<T>): T | Promise<T> {
    if (this.#last === undefined && change.size <= IN_ONE_GO) return this.runNow(change);
    const result = this.#inSlices(this.#last, change);
    const last: Promise<void> = result.then(
      () => this.#ended(last),
      () => this.#ended(last),
    );
    this.#last = last;
    return result;
  }

  async #inSlices<T>(before: Promise<void> | undefined, { run }: ListChange<T>): Promise<T> {
    await before;
    return runInSlices(run());
  }

  #ended(last: Promise<void>): void {
    if (this.#last === last) this.#last = undefined;
  }
}
