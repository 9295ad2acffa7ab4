/**
 * What a new list says about the states of its backends: read in steps, taken over at one moment.
 *
 * Also for a list that is the same as before, with other switches.
 */
import type { BackendState } from './backend-state.ts';
import type { Lineup } from './lineup.ts';
import type { OperatorState } from './pick-options.ts';
import type { BackendsChange } from './replication/balancer-change.ts';
import { STEP_MASK, type Steps } from './run-in-slices.ts';

const HEALTHY = 1;
const DISCOVERED = 2;
const DRAINING = 4;
const MAINTENANCE = 8;

/** Sets one state to what was said about it. True when it has changed. */
type Take = (state: BackendState, said: number) => boolean;

/** Something said about each backend of a list. */
export class StateNews {
  /** By position. */
  readonly #said: Uint8Array;
  readonly #take: Take;

  private constructor(said: Uint8Array, take: Take) {
    this.#said = said;
    this.#take = take;
  }

  /** What a discovery says: its switches, on where it says nothing. */
  static *discovered({ list }: Lineup, enabled: ReadonlyMap<string, boolean> | undefined): Steps<StateNews> {
    const said = new Uint8Array(list.length).fill(DISCOVERED);
    if (enabled !== undefined && enabled.size > 0) {
      for (let i = 0; i < list.length; i += 1) {
        if (enabled.get(list[i]?.address ?? '') === false) said[i] = 0;
        if ((i & STEP_MASK) === 0) yield;
      }
    }
    return new StateNews(said, takeSwitch);
  }

  /** What another balancer says: everything. */
  static *copied({ list, positions }: Lineup, change: BackendsChange): Steps<StateNews> {
    const said = new Uint8Array(list.length).fill(DISCOVERED | HEALTHY);
    const lists = [
      { addresses: change.unhealthy, flag: HEALTHY },
      { addresses: change.undiscovered, flag: DISCOVERED },
      { addresses: change.draining, flag: DRAINING },
      { addresses: change.maintenance, flag: MAINTENANCE },
    ];
    for (const { addresses, flag } of lists) {
      for (let i = 0; i < addresses.length; i += 1) {
        const position = positions.get(addresses[i] as string);
        if (position !== undefined) said[position] = (said[position] as number) ^ flag;
        if ((i & STEP_MASK) === 0) yield;
      }
    }
    return new StateNews(said, takeAll);
  }

  /** Sets the states, which are those of the list. Returns the positions of those that have changed. */
  takeOver(states: readonly BackendState[]): number[] {
    const changed: number[] = [];
    for (let i = 0; i < states.length; i += 1) {
      if (this.#take(states[i] as BackendState, this.#said[i] as number)) changed.push(i);
    }
    return changed;
  }
}

function takeSwitch(state: BackendState, said: number): boolean {
  const isDiscovered = (said & DISCOVERED) !== 0;
  if (state.isDiscovered === isDiscovered) return false;
  state.isDiscovered = isDiscovered;
  return true;
}

function takeAll(state: BackendState, said: number): boolean {
  const operator = operatorIn(said);
  const isSwitched = takeSwitch(state, said);
  const isOperated = state.operator !== operator;
  state.operator = operator;
  return state.health.become((said & HEALTHY) !== 0) || isSwitched || isOperated;
}

function operatorIn(said: number): OperatorState {
  if ((said & MAINTENANCE) !== 0) return 'maintenance';
  return (said & DRAINING) === 0 ? 'active' : 'draining';
}
