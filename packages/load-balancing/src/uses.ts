/**
 * What is under way: counts uses of each backend, and tells the algorithm that is at work by now, whichever was when they began.
 */
import type { BackendSet } from './backend-set.ts';
import type { BackendState } from './backend-state.ts';
import { type Pick, PickHandle, type UseKeeper } from './pick.ts';
import type { PickOutcome } from './selection/selection.ts';
import { tierAt } from './tier.ts';

/** Who wants to know how uses end. */
export interface UseObserver {
  /** `ok`: what was said about it, if anything. `position`: where the backend is, if it still is in the list. */
  ended(state: BackendState, ok: boolean | undefined, position: number | undefined): void;
}

/** The uses of one balancer. */
export class Uses implements UseKeeper {
  readonly #set: BackendSet;
  readonly #observer: UseObserver;
  #inFlight = 0;

  constructor(set: BackendSet, observer: UseObserver) {
    this.#set = set;
    this.#observer = observer;
  }

  /** Of all backends, those that have left included. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** The backend at a position of the present snapshot is in use from now on; undefined where none was chosen. */
  begin(position: number): Pick | undefined {
    const { snapshot } = this.#set;
    const backend = snapshot.take(position);
    const state = snapshot.lineup.states[position];
    if (backend === undefined || state === undefined) return undefined;
    state.inFlight += 1;
    this.#inFlight += 1;
    const tier = tierAt(snapshot.lineup.tiers, position);
    tier?.selection.onLoad?.(position - tier.start, state.inFlight);
    return new PickHandle(backend, state, this);
  }

  /** Called once for each `begin`. */
  end(state: BackendState, outcome: PickOutcome | undefined): void {
    state.inFlight -= 1;
    this.#inFlight -= 1;
    if (outcome?.ok === false) state.failures += 1;
    const position = this.#positionOf(state);
    if (position !== undefined) {
      const tier = tierAt(this.#set.snapshot.lineup.tiers, position);
      tier?.selection.onLoad?.(position - tier.start, state.inFlight);
      tier?.selection.onDone?.(position - tier.start, outcome);
    } else if (state.inFlight === 0) {
      this.#set.idle(state);
    }
    this.#observer.ended(state, outcome?.ok, position);
  }

  #positionOf(state: BackendState): number | undefined {
    const { positions, states } = this.#set.snapshot.lineup;
    const position = positions.get(state.address);
    return position !== undefined && states[position] === state ? position : undefined;
  }
}
