/**
 * Datagrams that wait, with their number of bytes bounded twice: in each queue and over all of them.
 */

/** What all queues together may hold. */
export interface QueueBudget {
  readonly maxBytes: number;
  usedBytes: number;
}

/** A datagram without bytes takes memory as well. */
const OVERHEAD_BYTES = 64;

/** See the file's head. */
export class DatagramQueue {
  readonly #maxBytes: number;
  readonly #budget: QueueBudget;
  #waiting: Buffer[] | undefined;
  #bytes = 0;

  constructor(maxBytes: number, budget: QueueBudget) {
    this.#maxBytes = maxBytes;
    this.#budget = budget;
  }

  get length(): number {
    return this.#waiting?.length ?? 0;
  }

  /** False when there is no room: it was not taken. */
  push(bytes: Buffer): boolean {
    const size = bytes.length + OVERHEAD_BYTES;
    const { usedBytes, maxBytes } = this.#budget;
    if (this.#bytes + size > this.#maxBytes || usedBytes + size > maxBytes) return false;
    this.#budget.usedBytes += size;
    this.#bytes += size;
    if (this.#waiting === undefined) this.#waiting = [bytes];
    else this.#waiting.push(bytes);
    return true;
  }

  /** All that wait, in their order; the queue is empty then. */
  take(): readonly Buffer[] {
    const all = this.#waiting ?? [];
    this.#waiting = undefined;
    this.#budget.usedBytes -= this.#bytes;
    this.#bytes = 0;
    return all;
  }
}
