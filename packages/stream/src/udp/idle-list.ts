/**
 * Sessions in the order of their last activity, and one timer for the one that has been idle the longest.
 *
 * All have the same idle time, so the order of activity is the order of expiry: noting activity moves a node to the end (a few
 * pointers), expiry looks at those that are due and at one more. Nothing else is ever looked at.
 */
import { type Clock, systemClock, Timer, type TimerWheel } from '@cirque/timeout';

/** What a node carries; only {@link IdleList} changes it. */
export interface IdleNode<N> {
  /** It is in the list. */
  isListed: boolean;
  lastActiveMs: number;
  older: N | undefined;
  newer: N | undefined;
}

/** What a list works with. */
export interface IdleListParts<N> {
  readonly idleTimeoutMs: number;
  /** Called for each node that is due, when it is in the list no more. */
  readonly onIdle: (node: N) => void;
  /** Default: the process's monotonic clock. */
  readonly clock?: Clock | undefined;
  /** Default: that of this thread. */
  readonly wheel?: TimerWheel | undefined;
}

/** So many expire in one go; the others in the next tick, so that a crowd does not stop the loop. */
const EXPIRED_AT_ONCE = 256;

/** See the file's head. */
export class IdleList<N extends IdleNode<N>> {
  /** How many nodes expiry has looked at since the beginning: what it costs. */
  looked = 0;
  readonly #parts: IdleListParts<N>;
  readonly #clock: Clock;
  readonly #timer: Timer;
  #oldest: N | undefined;
  #newest: N | undefined;
  #size = 0;

  constructor(parts: IdleListParts<N>) {
    this.#parts = parts;
    this.#clock = parts.clock ?? systemClock;
    this.#timer = new Timer(() => this.#expire(), parts.wheel);
  }

  get size(): number {
    return this.#size;
  }

  /** The one that has been idle the longest. */
  get oldest(): N | undefined {
    return this.#oldest;
  }

  /** Adds a node that is in no list; it is active now. */
  add(node: N): void {
    node.lastActiveMs = this.#clock.now();
    node.isListed = true;
    this.#append(node);
    this.#size += 1;
    if (this.#oldest === node) this.#timer.set(this.#parts.idleTimeoutMs);
  }

  /** A node is active now. Nothing happens when it is in the list no more. */
  touch(node: N): void {
    if (!node.isListed) return;
    node.lastActiveMs = this.#clock.now();
    if (node === this.#newest) return;
    this.#unlink(node);
    this.#append(node);
  }

  /** Takes a node out. Nothing happens when it is in the list no more. */
  remove(node: N): void {
    if (!node.isListed) return;
    node.isListed = false;
    this.#unlink(node);
    this.#size -= 1;
    if (this.#size === 0) this.#timer.clear();
  }

  /** Forgets the timer. */
  close(): void {
    this.#timer.close();
  }

  #expire(): void {
    const dueBefore = this.#clock.now() - this.#parts.idleTimeoutMs;
    for (let count = 0; count < EXPIRED_AT_ONCE && this.#oldest !== undefined; count += 1) {
      const node = this.#oldest;
      this.looked += 1;
      if (node.lastActiveMs > dueBefore) break;
      this.remove(node);
      this.#parts.onIdle(node);
    }
    if (this.#oldest !== undefined) this.#timer.set(Math.max(0, this.#oldest.lastActiveMs - dueBefore));
  }

  #append(node: N): void {
    node.older = this.#newest;
    node.newer = undefined;
    if (this.#newest === undefined) this.#oldest = node;
    else this.#newest.newer = node;
    this.#newest = node;
  }

  #unlink(node: N): void {
    const { older, newer } = node;
    if (older === undefined) this.#oldest = newer;
    else older.newer = newer;
    if (newer === undefined) this.#newest = older;
    else newer.older = older;
    node.older = undefined;
    node.newer = undefined;
  }
}
