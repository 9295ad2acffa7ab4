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
  /** What is still to be told, in order. */
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

  /** Tells those who listen now. */
  tell(make: () => BalancerChange): void {
    if (this.#listeners.size === 0) return;
    const change = make();
    const isLong = change.kind === 'backends' && change.addresses.length > LONG && this.#listeners.size > 1;
    if (!isLong && this.#pending.length === 0) {
      for (const listener of this.#listeners) this.#tellOne(listener, change);
      return;
    }
    if (this.#pending.length === 0) setImmediate(() => this.#proceed());
    for (const listener of this.#listeners) this.#pending.push(() => this.#tellOne(listener, change));
  }

  #proceed(): void {
    this.#pending.shift()?.();
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
