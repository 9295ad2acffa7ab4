/**
 * The current snapshot of a balancer, and everything that replaces it: a new list, a flip of health, a switch.
 *
 * Each change is complete when the one assignment to the snapshot is made, and when it throws nothing has happened.
 * Where lists and results come from is not its business.
 */
import type { Backend } from './backend.ts';
import { mergeBackends, sameBackends } from './backend-list.ts';
import { BackendStates } from './backend-states.ts';
import { Backends } from './backends.ts';
import type { Discovered } from './discovery/discovery.ts';
import type { Selection, SelectionFactory } from './selection/selection.ts';

/** What a new list changed. */
export interface SetChange {
  readonly changed: boolean;
  /** Backends that are no longer there. */
  readonly removed: readonly Backend[];
}

/** Begins empty. */
export class BackendSet {
  readonly #factory: SelectionFactory;
  readonly #states = new BackendStates();
  #snapshot: Backends;

  constructor(factory: SelectionFactory) {
    this.#factory = factory;
    this.#snapshot = this.#snapshotOf([], factory.build([], undefined));
  }

  /** The backends and their states at this moment. */
  get snapshot(): Backends {
    return this.#snapshot;
  }

  /**
   * Takes over what was discovered. Backends that stay keep health and switches; if all of them stay as they are, the
   * algorithm goes on where it was. Throws for entries that are not backends and for what the algorithm refuses.
   */
  replace(found: Discovered): SetChange {
    const before = this.#snapshot;
    const known = [...before];
    const list = mergeBackends(found.backends);
    if (sameBackends(new Map(known.map((backend) => [backend.address, backend])), list)) {
      return { changed: this.#switch(known, found.enabled), removed: [] };
    }
    const weighted = list.filter((backend) => backend.weight > 0);
    const selection = this.#factory.build(weighted, before.selection);
    this.#states.replace(list, found.enabled);
    this.#snapshot = this.#snapshotOf(list, selection);
    const removed = known.filter((backend) => this.#snapshot.find(backend.address) === undefined);
    return { changed: true, removed };
  }

  /** Takes in the result of a health check. True when the state flipped; a backend that has left the set has none. */
  observe(backend: Backend, success: boolean, threshold: number): boolean {
    const flipped = this.#states.get(backend.address)?.health.observe(success, threshold) ?? false;
    if (flipped) this.#snapshot = this.#snapshot.withHealth(backend.address, success);
    return flipped;
  }

  /** Sets the operator's switch. False when there is no such backend. */
  setEnabled(address: string, enabled: boolean): boolean {
    const state = this.#states.get(address);
    if (state === undefined) return false;
    state.isSwitchedOn = enabled;
    this.#snapshot = this.#snapshot.withEnabled(address, this.#states.isEnabled(address));
    return true;
  }

  /** Sets the discovery's switches of backends that stay. True when anyone's state changed by it. */
  #switch(known: readonly Backend[], discovered: ReadonlyMap<string, boolean> | undefined): boolean {
    const before = this.#snapshot;
    this.#states.replace(known, discovered);
    if (known.every((backend) => before.isEnabled(backend) === this.#states.isEnabled(backend.address))) return false;
    this.#snapshot = this.#snapshotOf(known, before.selection);
    return true;
  }

  #snapshotOf(list: readonly Backend[], selection: Selection): Backends {
    return Backends.create(list, selection, this.#states.isHealthy, this.#states.isEnabled);
  }
}
