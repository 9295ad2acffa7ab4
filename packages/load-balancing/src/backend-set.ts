/**
 * The current snapshot of a balancer, and everything that replaces it: a new list, a flip of health, a switch, an ejection.
 *
 * Each change is complete when the one assignment to the snapshot is made, and when it throws nothing has happened.
 * Where lists and results come from, and in which order lists are taken over (list-changes.ts), is not its business.
 */
import type { Backend } from './backend.ts';
import { mergeBackends, sameBackends } from './backend-list.ts';
import type { BackendState } from './backend-state.ts';
import { Backends } from './backends.ts';
import type { Discovered } from './discovery/discovery.ts';
import { type Lineup, NO_LINEUP } from './lineup.ts';
import { type LineupParts, NextLineup } from './next-lineup.ts';
import type { OperatorState } from './pick-options.ts';
import type { BackendsChange } from './replication/balancer-change.ts';
import { CopiedBackends } from './replication/copied-backends.ts';
import { Rotation } from './rotation.ts';
import { runAtOnce, type Steps } from './run-in-slices.ts';
import type { SlowStart } from './slow-start.ts';
import { StateNews } from './state-news.ts';

/** What a set works with. */
export interface BackendSetParts extends Omit<LineupParts, 'departed'> {
  readonly panicThreshold: number;
  readonly slowStart: SlowStart;
  /** A new snapshot is out: there may be somebody to choose who was not there before. */
  published(): void;
}

/** What a new list changed. */
export interface SetChange {
  readonly changed: boolean;
  /** Backends that are no longer there. */
  readonly removed: readonly Backend[];
  /** Backends whose health is another one than before. */
  readonly flipped: readonly Backend[];
}

/** Begins empty. */
export class BackendSet {
  readonly #parts: BackendSetParts;
  readonly #lineupParts: LineupParts;
  readonly #copied = new CopiedBackends();
  /** Of backends that have left while uses of them were under way. */
  readonly #departed = new Map<string, BackendState>();
  #snapshot: Backends;
  /** Choices of backends that have left. */
  #formerPicks = 0;

  constructor(parts: BackendSetParts) {
    const { factory, maxConnections, now, random } = parts;
    this.#parts = parts;
    this.#lineupParts = { factory, maxConnections, now, random, departed: (address) => this.#revive(address) };
    this.#snapshot = this.#snapshotOf(runAtOnce(NextLineup.of([], NO_LINEUP, this.#lineupParts)).lineup);
  }

  /** The backends and their states at this moment. */
  get snapshot(): Backends {
    return this.#snapshot;
  }

  /** Choices of backends that have left. */
  get formerPicks(): number {
    return this.#formerPicks;
  }

  /**
   * Takes over what was discovered. Backends that stay keep health and switches; if all of them stay as they are, the
   * algorithm goes on where it was. Throws for entries that are not backends and for what the algorithm refuses.
   */
  *replace(found: Pick<Discovered, 'backends' | 'enabled'>): Steps<SetChange> {
    const before = this.#snapshot.lineup;
    const list = yield* mergeBackends(found.backends);
    const isSame = yield* sameBackends(before, list);
    const next = isSame ? undefined : yield* NextLineup.of(list, before, this.#lineupParts);
    const news = yield* StateNews.discovered(next?.lineup ?? before, found.enabled);
    return this.#publish(next, news);
  }

  /**
   * Takes over what another balancer has described. The algorithm goes on where it was if the list is the same, in the same
   * order. Throws for addresses and weights that cannot be and for what the algorithm refuses.
   */
  *copy(change: BackendsChange): Steps<SetChange> {
    const before = this.#snapshot.lineup;
    const list = yield* this.#copied.listOf(change, before);
    const next = list && (yield* NextLineup.of(list, before, this.#lineupParts));
    const news = yield* StateNews.copied(next?.lineup ?? before, change);
    return this.#publish(next, news);
  }

  /** The state of an address in the list. */
  stateOf(address: string): BackendState | undefined {
    const { positions, states } = this.#snapshot.lineup;
    const position = positions.get(address);
    return position === undefined ? undefined : states[position];
  }

  /** Takes over the health of one backend. The backend if it is another one than before; one that is not here has none. */
  become(address: string, healthy: boolean): Backend | undefined {
    const hasChanged = this.#change(address, 'healthy', (state) => state.health.become(healthy));
    return hasChanged ? this.#snapshot.find(address) : undefined;
  }

  /** Takes in the result of a health check. True when the state flipped; a backend that has left the set has none. */
  observe(backend: Backend, success: boolean, threshold: number): boolean {
    return this.#change(backend.address, 'healthy', (state) => state.health.observe(success, threshold));
  }

  /** Sets what the operator has decided. False when there is no such backend. */
  setState(address: string, operator: OperatorState): boolean {
    return this.#change(address, 'enabled', (state) => {
      state.operator = operator;
      return true;
    });
  }

  /** Takes a backend out for a while, or back in. False when that changes nothing. */
  setEjected(address: string, isEjected: boolean): boolean {
    return this.#change(address, 'ejected', (state) => {
      if (state.isEjected === isEjected) return false;
      state.isEjected = isEjected;
      return true;
    });
  }

  /** The last use of a backend has ended: if it has left, there is nothing to remember of it any more. */
  idle({ address }: BackendState): void {
    this.#departed.delete(address);
  }

  /** Changes one state, and publishes it if `change` says that there is news. */
  #change(address: string, fact: 'healthy' | 'enabled' | 'ejected', change: (state: BackendState) => boolean): boolean {
    const { lineup, rotation } = this.#snapshot;
    const position = lineup.positions.get(address);
    const state = position === undefined ? undefined : lineup.states[position];
    if (position === undefined || state === undefined) return false;
    const wasIn = isIn(state);
    if (!change(state)) return false;
    if (!wasIn && isIn(state)) this.#parts.slowStart.begin(state);
    const value = { healthy: state.health.healthy, enabled: state.isEnabled, ejected: state.isEjected }[fact];
    this.#snapshot = new Backends(lineup, rotation.with(fact, position, value));
    this.#parts.published();
    return true;
  }

  /** The one assignment of a new list, or of the same one with news. */
  #publish(next: NextLineup | undefined, news: StateNews): SetChange {
    const before = this.#snapshot;
    const lineup = next?.lineup ?? before.lineup;
    next?.takeOver();
    const changed = news.takeOver(lineup.states);
    if (next === undefined && changed.length === 0) return { changed: false, removed: [], flipped: [] };
    this.#snapshot = this.#snapshotOf(lineup);
    this.#beginSlowStarts(next, changed, before);
    for (const { address } of next?.added ?? []) this.#departed.delete(address);
    const removed = next === undefined ? [] : this.#partFrom(next, before.lineup);
    this.#parts.published();
    const flipped = changed.map((position) => lineup.list[position] as Backend).filter(this.#hasFlipped(before));
    return { changed: true, removed, flipped };
  }

  /** Compared with a snapshot before; who was not there counts as having been healthy. */
  #hasFlipped(before: Backends): (backend: Backend) => boolean {
    return (backend) => {
      const wasHealthy = before.find(backend.address) === undefined || before.isHealthy(backend);
      return this.#snapshot.isHealthy(backend) !== wasHealthy;
    };
  }

  #beginSlowStarts(next: NextLineup | undefined, changed: readonly number[], before: Backends): void {
    const { slowStart } = this.#parts;
    // The first list serves from the beginning.
    if (before.size === 0) return;
    for (const state of next?.added ?? []) slowStart.begin(state);
    const { rotation } = before;
    for (const position of changed) {
      const state = this.#snapshot.lineup.states[position] as BackendState;
      const former = before.lineup.positions.get(state.address);
      const wasIn = former !== undefined && rotation.isReadyAt(former);
      if (!wasIn && isIn(state)) slowStart.begin(state);
    }
  }

  #partFrom(next: NextLineup, { list, picks, states }: Lineup): Backend[] {
    return next.removed.map((position) => {
      const state = states[position] as BackendState;
      this.#formerPicks += picks.at(position);
      if (state.inFlight > 0) this.#departed.set(state.address, state);
      return list[position] as Backend;
    });
  }

  #revive(address: string): BackendState | undefined {
    const state = this.#departed.get(address);
    state?.beginAnew();
    return state;
  }

  #snapshotOf(lineup: Lineup): Backends {
    return new Backends(lineup, Rotation.of(lineup.states, lineup.tiers, this.#parts.panicThreshold));
  }
}

/** It may be chosen. */
function isIn(state: BackendState): boolean {
  return state.isEnabled && state.isWell;
}
