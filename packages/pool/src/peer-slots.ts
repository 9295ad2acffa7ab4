/**
 * A cap on the connections in use per key, with a queue in order of arrival.
 *
 * Only peers that set a cap are counted. Idle connections need no slot: they are taken before new ones are made.
 * Whoever got a slot gives it back exactly once, whatever became of the connection.
 */
import { CirqueError } from '@cirque/error';
import { Timer, type TimerWheel } from '@cirque/timeout';

/** How a slot is wanted. */
export interface SlotRequest {
  /** Slots of the key in use at most, as this request sees it. */
  readonly max: number;
  /** How many may wait at most, this one included. */
  readonly maxPending: number;
  /** How long to wait at most; 0: no limit. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly wheel?: TimerWheel | undefined;
}

interface Waiter {
  readonly max: number;
  grant(): void;
}

interface Slots {
  used: number;
  readonly waiting: Waiter[];
}

/** Slots of all capped peers. */
export class PeerSlots {
  readonly #slots = new Map<string, Slots>();
  #waiting = 0;

  /** Requests that wait for a slot now. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Keys with a slot in use or awaited. */
  get keys(): number {
    return this.#slots.size;
  }

  /**
   * Takes a slot, at once when one is free and nobody waits; answers what is left of `timeoutMs` (0: no limit).
   *
   * The promise rejects with CirqueError: HTTPStatus 503 at once when `maxPending` requests wait already, ConnectTimedout
   * after `timeoutMs`, ConnectError when the signal aborts.
   */
  acquire(key: string, request: SlotRequest): number | Promise<number> {
    if (request.signal?.aborted === true) return Promise.reject(cancelled(key));
    let slots = this.#slots.get(key);
    if (slots === undefined) {
      slots = { used: 0, waiting: [] };
      this.#slots.set(key, slots);
    }
    if (slots.used < request.max && slots.waiting.length === 0) {
      slots.used += 1;
      return request.timeoutMs;
    }
    if (slots.waiting.length >= request.maxPending) {
      const what = `${slots.used} connections to ${key} are in use and ${slots.waiting.length} requests wait`;
      return Promise.reject(CirqueError.http(503, what, { source: 'Upstream' }));
    }
    return this.#wait(slots, key, request);
  }

  /** Takes a slot if one is free and nobody waits. */
  tryAcquire(key: string, max: number): boolean {
    const slots = this.#slots.get(key);
    if (slots === undefined) this.#slots.set(key, { used: 1, waiting: [] });
    else if (slots.used >= max || slots.waiting.length > 0) return false;
    else slots.used += 1;
    return true;
  }

  /** Gives a slot back; the request that waits longest gets it. */
  release(key: string): void {
    const slots = this.#slots.get(key);
    if (slots === undefined) return;
    slots.used -= 1;
    this.#grant(slots, key);
  }

  #grant(slots: Slots, key: string): void {
    for (let next = slots.waiting[0]; next !== undefined && slots.used < next.max; next = slots.waiting[0]) {
      slots.waiting.shift();
      slots.used += 1;
      next.grant();
    }
    if (slots.used === 0 && slots.waiting.length === 0) this.#slots.delete(key);
  }

  #wait(slots: Slots, key: string, request: SlotRequest): Promise<number> {
    const { signal, timeoutMs } = request;
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        this.#waiting -= 1;
        signal?.removeEventListener('abort', onAbort);
        timer.close();
      };
      const waiter: Waiter = {
        max: request.max,
        grant: () => {
          // Never 0, which would mean that there is no limit.
          const leftMs = timeoutMs === 0 ? 0 : Math.max(1, timer.remainingMs);
          settle();
          resolve(leftMs);
        },
      };
      const giveUp = (error: CirqueError): void => {
        settle();
        slots.waiting.splice(slots.waiting.indexOf(waiter), 1);
        this.#grant(slots, key);
        reject(error);
      };
      const onAbort = (): void => giveUp(cancelled(key));
      const timer = new Timer(() => giveUp(timedOut(key)), request.wheel);
      this.#waiting += 1;
      slots.waiting.push(waiter);
      signal?.addEventListener('abort', onAbort);
      if (timeoutMs > 0) timer.set(timeoutMs);
    });
  }
}

function cancelled(key: string): CirqueError {
  return CirqueError.upstream('ConnectError', `waiting for a connection to ${key} was cancelled`);
}

function timedOut(key: string): CirqueError {
  return CirqueError.upstream('ConnectTimedout', `waiting for a connection to ${key}`);
}
