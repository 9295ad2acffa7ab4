/**
 * The open connections of one service: counted for limits, awaited when it drains, destroyed when time is up.
 */
import type { Duplex } from 'node:stream';
import type { Stream } from '@cirque/transport';

/** A set of streams that forgets each one when it closes. */
export class OpenStreams {
  readonly #streams: Map<Duplex, Stream> = new Map();
  readonly #closed: (this: Duplex) => void;
  #whenEmpty: PromiseWithResolvers<void> | undefined;

  constructor() {
    // One function for all streams, which finds its stream by `this`: a closure for each would cost memory.
    const forget = (duplex: Duplex): void => this.#forget(duplex);
    this.#closed = function closed() {
      forget(this);
    };
  }

  get size(): number {
    return this.#streams.size;
  }

  /** Adds a stream that is open. */
  add(stream: Stream): void {
    this.#streams.set(stream.duplex, stream);
    stream.duplex.on('close', this.#closed);
  }

  /** Counts `next` instead of `stream`, on top of which it was made. */
  replace(stream: Stream, next: Stream): void {
    this.add(next);
    stream.duplex.off('close', this.#closed);
    this.#streams.delete(stream.duplex);
  }

  /** Resolves when no stream is open. */
  empty(): Promise<void> {
    if (this.#streams.size === 0) return Promise.resolve();
    this.#whenEmpty ??= Promise.withResolvers<void>();
    return this.#whenEmpty.promise;
  }

  /** The streams that are open now. */
  all(): Stream[] {
    return [...this.#streams.values()];
  }

  /** Closes all streams now. */
  destroyAll(): void {
    for (const stream of this.all()) stream.destroy();
  }

  #forget(duplex: Duplex): void {
    this.#streams.delete(duplex);
    if (this.#streams.size > 0) return;
    this.#whenEmpty?.resolve();
    this.#whenEmpty = undefined;
  }
}
