/**
 * The open connections of one service: counted for limits, awaited when it drains, destroyed when time is up.
 */
import type { Duplex } from 'node:stream';
import type { Stream } from '@cirque/transport';

/** Is told what becomes of the streams. */
export interface OpenStreamsWatcher {
  /** `next` took the place of `stream`. */
  moved(stream: Stream, next: Stream): void;
  /** Once for each, when it is not counted any more. */
  closed(stream: Stream): void;
}

/** A set of streams that forgets each one when it closes. */
export class OpenStreams {
  readonly #streams: Map<Duplex, Stream> = new Map();
  readonly #watcher: OpenStreamsWatcher | undefined;
  readonly #closed: (this: Duplex) => void;
  #whenEmpty: PromiseWithResolvers<void> | undefined;

  constructor(watcher?: OpenStreamsWatcher) {
    this.#watcher = watcher;
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
    this.#watcher?.moved(stream, next);
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
    const stream = this.#streams.get(duplex);
    this.#streams.delete(duplex);
    if (stream !== undefined) this.#watcher?.closed(stream);
    if (this.#streams.size > 0) return;
    this.#whenEmpty?.resolve();
    this.#whenEmpty = undefined;
  }
}
