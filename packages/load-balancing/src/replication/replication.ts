/**
 * Tells the copies of a balancer what changes, and lets a balancer be such a copy.
 *
 * Changes are told after the snapshot that shows them has been published, in the order in which they happened. How they travel
 * from one thread to another is the business of whoever listens.
 */
import type { Backend } from '../backend.ts';
import type { BackendSet, SetChange } from '../backend-set.ts';
import type { ListChanges } from '../list-changes.ts';
import type { Logger } from '../logger.ts';
import type { OperatorState } from '../pick-options.ts';
import { runAtOnce, STEP_MASK, type Steps } from '../run-in-slices.ts';
import { type BackendsChange, type BalancerChange, checkChange, checkEntries } from './balancer-change.ts';
import { type ChangeListener, ChangeListeners } from './change-listeners.ts';
import { describeBackends } from './describe-backends.ts';

/** The parts of a balancer that it works on. */
export interface ReplicationParts {
  readonly set: BackendSet;
  readonly lists: ListChanges;
  readonly logger: Logger;
  /** A list has been taken over from another balancer: what follows from that, besides telling. */
  followUp(change: SetChange): Steps<void>;
  /** So has the health of one backend. */
  flipped(backend: Backend, healthy: boolean, cause: Error | undefined): void;
}

/** Nothing is put together while nobody listens. */
export class Replication {
  readonly #parts: ReplicationParts;
  readonly #listeners: ChangeListeners;
  #hasList = false;

  constructor(parts: ReplicationParts) {
    this.#parts = parts;
    this.#listeners = new ChangeListeners(parts.logger);
  }

  /** Adds a listener and returns what removes it. */
  onChange(listener: ChangeListener): () => void {
    return this.#listeners.add(listener);
  }

  /** The list with all states. */
  describe(): BackendsChange {
    return runAtOnce(describeBackends(this.#parts.set.snapshot.lineup));
  }

  /** There is a new list, or the discovery has turned switches. */
  *listChanged(): Steps<void> {
    if (this.#listeners.size === 0) return;
    // What changes while the list is described is told after it, whether or not the description has it.
    const release = this.#listeners.hold();
    release(yield* describeBackends(this.#parts.set.snapshot.lineup));
  }

  /** A health check has decided. `cause`: why it failed. */
  healthChanged({ address }: Backend, healthy: boolean, cause: unknown): void {
    this.#listeners.tell(() => {
      if (healthy) return { kind: 'health', address, healthy };
      return { kind: 'health', address, healthy, reason: cause instanceof Error ? cause.message : String(cause) };
    });
  }

  /** An operator has decided. */
  stateChanged(address: string, state: OperatorState): void {
    this.#listeners.tell(() => ({ kind: 'state', address, state }));
  }

  /**
   * Takes over a change of another balancer: all of it, or nothing when it throws. A long list, and what comes while it is
   * taken over, has its turn later; what is wrong with it is logged then.
   */
  apply(change: BalancerChange): void {
    const checked = checkChange(change);
    const { lists, logger, set } = this.#parts;
    const size = checked.kind === 'backends' ? Math.max(checked.addresses.length, set.snapshot.size) : 0;
    const entry = { size, run: () => this.#take(checked) };
    // The first list of a copy has to be there when its thread begins to serve, and keeps nobody waiting before that.
    const isFirst = checked.kind === 'backends' && !this.#hasList && set.snapshot.size === 0;
    this.#hasList ||= checked.kind === 'backends';
    const taken = isFirst && !lists.isBusy ? lists.runNow(entry) : lists.run(entry);
    taken?.catch((error: unknown) => {
      logger.error({ err: error, change: checked.kind }, 'change of the original balancer could not be taken over');
    });
  }

  *#take(change: BalancerChange): Steps<void> {
    if (change.kind === 'backends') yield* this.#takeList(change);
    else if (change.kind === 'state') this.#takeState(change.address, change.state);
    else this.#takeHealth(change.address, change.healthy, change.reason);
  }

  *#takeList(change: BackendsChange): Steps<void> {
    yield* checkEntries(change);
    const taken = yield* this.#parts.set.copy(change);
    this.#listeners.tell(() => change);
    yield;
    yield* this.#parts.followUp(taken);
    for (const [i, backend] of taken.flipped.entries()) {
      this.#parts.flipped(backend, this.#parts.set.snapshot.isHealthy(backend), undefined);
      if ((i & STEP_MASK) === 0) yield;
    }
  }

  #takeHealth(address: string, healthy: boolean, reason: string | undefined): void {
    const backend = this.#parts.set.become(address, healthy);
    if (backend === undefined) return;
    this.#listeners.tell(() => ({ kind: 'health', address, healthy, ...(reason === undefined ? {} : { reason }) }));
    this.#parts.flipped(backend, healthy, reason === undefined ? undefined : new Error(reason));
  }

  #takeState(address: string, state: OperatorState): void {
    if (this.#parts.set.setState(address, state)) this.stateChanged(address, state);
  }
}
