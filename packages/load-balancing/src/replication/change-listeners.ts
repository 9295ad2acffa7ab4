/**
 * Those who are told of the changes of a balancer, each of them all changes in order.
 *
 * A long list is passed on to one listener per turn of the event loop, as each may copy it for another thread; what comes
 * meanwhile waits behind it.
 */
import type { Logger } from '../logger.ts';
import type { BalancerChange } from './balancer-change.ts';

/** Told of each change. */
export type ChangeListener = (change: BalancerChange) => void;

/** From here on a list takes its time. */
const LONG = 2_000;

/** Nothing is put together while nobody listens. */
export class ChangeListeners {
  readonly #logger: Logger;
  readonly #listeners = new Set<ChangeListener>();
  /** Changes that have come while the list before them is not complete. */
  #isHeld = false;
  #waiting: BalancerChange[] = [];
  /** What is still to be told to whom, in order. */
  #pending: (() => void)[] = [];

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** Adds a listener and returns what removes it. */
  add(listener: ChangeListener): () => void {
    // Wrapped, so that one function added twice is told twice and removed one at a time.
    const entry: ChangeListener = (change) => listener(change);
    this.#listeners.add(entry);
    return () => {
      this.#listeners.delete(entry);
    };
  }

  get size(): number {
    return this.#listeners.size;
  }

  /** Tells those who listen now, once they have been told what came before. */
  tell(make: () => BalancerChange): void {
    if (this.#listeners.size === 0) return;
    const change = make();
    if (this.#isHeld) this.#waiting.push(change);
    else this.#queue(change);
  }

  /**
   * Lets what is told from now on wait. The result ends that, and has the change told that it is given before all that has
   * come meanwhile. To be called once.
   */
  hold(): (first: BalancerChange) => void {
    this.#isHeld = true;
    return (first) => {
      this.#isHeld = false;
      const changes = [first, ...this.#waiting];
      this.#waiting = [];
      for (const change of changes) this.#queue(change);
    };
  }

  #queue(change: BalancerChange): void {
    const isLong = change.kind === 'backends' && change.addresses.length > LONG;
    if (this.#pending.length === 0 && !isLong) {
      for (const listener of this.#listeners) this.#tellOne(listener, change);
      return;
    }
    const isIdle = this.#pending.length === 0;
    for (const listener of this.#listeners) this.#pending.push(() => this.#tellOne(listener, change));
    if (isIdle) setImmediate(() => this.#proceed());
  }

  #proceed(): void {
    const next = this.#pending[0];
    next?.();
    this.#pending.shift();
    if (this.#pending.length > 0) setImmediate(() => this.#proceed());
  }

  #tellOne(listener: ChangeListener, change: BalancerChange): void {
    if (!this.#listeners.has(listener)) return;
    try {
      listener(change);
    } catch (error) {
      this.#logger.error({ err: error, change: change.kind }, 'listener of balancer changes failed');
    }
  }
}
