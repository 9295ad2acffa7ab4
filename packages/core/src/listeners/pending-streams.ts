/**
 * Connections that the application has not got yet, because their handshakes or their filter are not over.
 */
import { Timer, type TimerWheel } from '@cirque/timeout';
import type { Stream } from '@cirque/transport';

/** Those of one service. */
export class PendingStreams {
  readonly #streams: Set<Stream> = new Set();
  readonly #timer: Timer;

  /** @param wheel for hand-driven time in tests. */
  constructor(wheel?: TimerWheel) {
    this.#timer = new Timer(() => this.#destroyAll(), wheel);
  }

  add(stream: Stream): void {
    this.#streams.add(stream);
  }

  delete(stream: Stream): void {
    this.#streams.delete(stream);
    if (this.#streams.size === 0) this.#timer.close();
  }

  has(stream: Stream): boolean {
    return this.#streams.has(stream);
  }

  /** Those that are still pending after `ms` are closed. */
  endWithin(ms: number): void {
    if (this.#streams.size > 0) this.#timer.set(ms);
  }

  #destroyAll(): void {
    for (const stream of this.#streams) stream.destroy();
  }
}
