/**
 * A backend that was picked, and the duty to say when it is no longer in use.
 */
import type { Backend } from './backend.ts';
import type { PickOutcome, Selection } from './selection/selection.ts';

/** The result of `LoadBalancer.pick`. */
export interface Pick {
  readonly backend: Backend;
  /**
   * Says that the backend is no longer used for this request, and how that went; nothing said means nothing known.
   * Call it in every case, say in the `logging` phase. Further calls do nothing.
   */
  done(outcome?: PickOutcome): void;
}

/** Tells the selection that the position is in use, and later, once, that it no longer is. */
export class PickHandle implements Pick {
  readonly backend: Backend;
  readonly #position: number;
  #selection: Selection | undefined;

  constructor(backend: Backend, position: number, selection: Selection) {
    this.backend = backend;
    this.#position = position;
    this.#selection = selection;
  }

  done(outcome?: PickOutcome): void {
    const selection = this.#selection;
    this.#selection = undefined;
    selection?.onDone?.(this.#position, outcome);
  }
}
