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
import type { BackendStats, BalancerStats } from './balancer-stats.ts';
import type { Discovered } from './discovery/discovery.ts';
import { cloneableData } from './replication/backend-data.ts';
import type { BackendsChange } from './replication/balancer-change.ts';
import { CopiedBackends } from './replication/copied-backends.ts';
import type { Selection, SelectionFactory } from './selection/selection.ts';

/** What a new list changed. */
export interface SetChange {
  readonly changed: boolean;
  /** Backends that are no longer there. */
  readonly removed: readonly Backend[];
}

/** What a list from another balancer changed. */
export interface CopyChange {
  readonly removed: readonly Backend[];
  /** Backends whose health is another one than before. */
  readonly flipped: readonly Backend[];
}

/** Begins empty. */
export class BackendSet {
  readonly #factory: SelectionFactory;
  readonly #states = new BackendStates();
  readonly #copied = new CopiedBackends();
  #snapshot: Backends;
  /** Choices of backends that have left. */
  #formerPicks = 0;

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
    const selection = this.#build(list);
    this.#states.replace(list, found.enabled);
    return { changed: true, removed: this.#publish(list, selection) };
  }

  /** The list with all states, for other balancers to `copy`. */
  describe(): BackendsChange {
    const list = [...this.#snapshot];
    const addresses = list.map((backend) => backend.address);
    const states = this.#states;
    return {
      kind: 'backends',
      addresses,
      weights: list.map((backend) => backend.weight),
      data: list
        .map((backend) => [backend.address, cloneableData(backend)] as const)
        .filter(([, data]) => data.length > 0),
      unhealthy: addresses.filter((address) => !states.isHealthy(address)),
      switchedOff: addresses.filter((address) => states.get(address)?.isSwitchedOn === false),
      undiscovered: addresses.filter((address) => states.get(address)?.isDiscovered === false),
    };
  }

  /**
   * Takes over what another balancer has described. The algorithm goes on where it was if the list is the same, in the same
   * order. Throws for addresses and weights that cannot be and for what the algorithm refuses.
   */
  copy(change: BackendsChange): CopyChange {
    const list = this.#copied.listOf(change, this.#snapshot);
    const selection = list && this.#build(list);
    const addresses = this.#states.copy(change);
    const removed = list && selection ? this.#publish(list, selection) : [];
    if (list === undefined) this.#publishStates();
    const flipped = addresses.map((address) => this.#snapshot.find(address)).filter((backend) => backend !== undefined);
    return { removed, flipped };
  }

  /** Takes over the state of one backend. The backend if it is another one than before; one that is not here has none. */
  become(address: string, healthy: boolean): Backend | undefined {
    if (this.#states.get(address)?.health.become(healthy) !== true) return undefined;
    this.#snapshot = this.#snapshot.withHealth(address, healthy);
    return this.#snapshot.find(address);
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

  /** Counters and gauges as plain data. */
  stats(): BalancerStats {
    const byAddress: Record<string, BackendStats> = {};
    const sum = { backends: this.#snapshot.size, healthy: 0, enabled: 0, picks: this.#formerPicks };
    for (const backend of this.#snapshot) {
      const stats = this.#statsOf(backend);
      byAddress[backend.address] = stats;
      sum.healthy += stats.healthy;
      sum.enabled += stats.enabled;
      sum.picks += stats.picks;
    }
    return { ...sum, byAddress };
  }

  #statsOf(backend: Backend): BackendStats {
    const snapshot = this.#snapshot;
    const health = this.#states.get(backend.address)?.health;
    return {
      picks: snapshot.picksOf(backend),
      healthy: snapshot.isHealthy(backend) ? 1 : 0,
      enabled: snapshot.isEnabled(backend) ? 1 : 0,
      checks: health?.checks ?? 0,
      checkFailures: health?.failures ?? 0,
    };
  }

  /** The algorithm for a list, with the counters of the one before. */
  #build(list: readonly Backend[]): Selection {
    const weighted = list.filter((backend) => backend.weight > 0);
    return this.#factory.build(weighted, this.#snapshot.selection);
  }

  /** The one assignment of a new list. Returns who is no longer there. */
  #publish(list: readonly Backend[], selection: Selection): Backend[] {
    const before = this.#snapshot;
    this.#snapshot = this.#snapshotOf(list, selection, before);
    const removed = [...before].filter((backend) => this.#snapshot.find(backend.address) === undefined);
    for (const backend of removed) this.#formerPicks += before.picksOf(backend);
    return removed;
  }

  /** Sets the discovery's switches of backends that stay. True when anyone's state changed by it. */
  #switch(known: readonly Backend[], discovered: ReadonlyMap<string, boolean> | undefined): boolean {
    const before = this.#snapshot;
    this.#states.replace(known, discovered);
    if (known.every((backend) => before.isEnabled(backend) === this.#states.isEnabled(backend.address))) return false;
    this.#publishStates();
    return true;
  }

  /** The one assignment of new states of the same list. */
  #publishStates(): void {
    this.#snapshot = this.#snapshot.withStates(this.#states.isHealthy, this.#states.isEnabled);
  }

  #snapshotOf(list: readonly Backend[], selection: Selection, before?: Backends): Backends {
    return Backends.create(list, selection, this.#states.isHealthy, this.#states.isEnabled, before);
  }
}
