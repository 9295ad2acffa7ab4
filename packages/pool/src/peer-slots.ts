/**
 * A cap on the connections in use per key, with a queue in order of arrival.
 *
 * Only peers that set a cap are counted. Idle connections need no slot: they are taken before new ones are made.
 */
import { CirqueError } from '@cirque/error';

interface Slots {
  used: number;
  readonly waiting: (() => void)[];
}

/** Slots of all capped peers. */
export class PeerSlots {
  readonly #slots = new Map<string, Slots>();
  #waiting = 0;

  /** Requests that wait for a slot now. */
  get waiting(): number {
    return this.#waiting;
  }

  /**
   * Takes a slot: undefined when it was free, else a promise that resolves with the slot taken.
   *
   * The promise rejects with the signal's abort, or at once with 503 when `maxPending` requests wait already.
   */
  acquire(key: string, max: number, maxPending: number, signal: AbortSignal | undefined): Promise<void> | undefined {
    let slots = this.#slots.get(key);
    if (slots === undefined) {
      slots = { used: 0, waiting: [] };
      this.#slots.set(key, slots);
    }
    if (slots.used < max) {
      slots.used += 1;
      return undefined;
    }
    if (slots.waiting.length >= maxPending) {
      const what = `${max} connections to ${key} are in use and ${maxPending} requests wait`;
      return Promise.reject(CirqueError.http(503, what, { source: 'Upstream' }));
    }
    return this.#wait(slots, key, signal);
  }

  /** Gives a slot back; the request that waits longest gets it. */
  release(key: string): void {
    const slots = this.#slots.get(key);
    if (slots === undefined) return;
    const next = slots.waiting.shift();
    if (next !== undefined) {
      next();
      return;
    }
    slots.used -= 1;
    if (slots.used === 0) this.#slots.delete(key);
  }

  #wait(slots: Slots, key: string, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const granted = (): void => {
        this.#waiting -= 1;
        signal?.removeEventListener('abort', cancelled);
        resolve();
      };
      const cancelled = (): void => {
        this.#waiting -= 1;
        slots.waiting.splice(slots.waiting.indexOf(granted), 1);
        reject(CirqueError.upstream('ConnectTimedout', `waiting for a connection to ${key}`));
      };
      this.#waiting += 1;
      slots.waiting.push(granted);
      signal?.addEventListener('abort', cancelled, { once: true });
      if (signal?.aborted === true) cancelled();
    });
  }
}
