/**
 * A backend that was picked, and the duty to say when it is no longer in use.
 */
import type { Backend } from './backend.ts';
import type { BackendState } from './backend-state.ts';
import type { PickOutcome } from './selection/selection.ts';

/** The result of `LoadBalancer.pick` and `acquire`. */
export interface Pick {
  readonly backend: Backend;
  /**
   * Says that the backend is no longer used for this request, and how that went; nothing said means nothing known.
   * Call it in every case, say in the `logging` phase. Further calls do nothing.
   */
  done(outcome?: PickOutcome): void;
}

/** Who is told that a use has ended. */
export interface UseKeeper {
  end(state: BackendState, outcome: PickOutcome | undefined): void;
}

/** Tells its keeper once. */
export class PickHandle implements Pick {
  readonly backend: Backend;
  readonly #state: BackendState;
  #keeper: UseKeeper | undefined;

  constructor(backend: Backend, state: BackendState, keeper: UseKeeper) {
    this.backend = backend;
    this.#state = state;
    this.#keeper = keeper;
  }

  done(outcome?: PickOutcome): void {
    const keeper = this.#keeper;
    this.#keeper = undefined;
    keeper?.end(this.#state, outcome);
  }
}
