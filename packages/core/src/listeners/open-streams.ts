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

const kPlace: unique symbol = Symbol('cirque.open-streams.place');

/** The duplex of a stream in the set. */
interface Placed {
  /** Where in the list it is. */
  [kPlace]?: number | undefined;
}

/**
 * A set of streams that forgets each one when it closes. A stream is in one set at most.
 *
 * A list, in which the last one takes the place of who leaves. A Map would do, but for what the engine does with those whose
 * entries come and go: tables that were outgrown keep what was in them alive until the next full collection. Measured: 9 KB and
 * 10 us of each short connection.
 */
export class OpenStreams {
  readonly #streams: Stream[] = [];
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
    return this.#streams.length;
  }

  /** Adds a stream that is open. */
  add(stream: Stream): void {
    const { duplex } = stream;
    (duplex as Placed)[kPlace] = this.#streams.length;
    this.#streams.push(stream);
    duplex.on('close', this.#closed);
  }

  /** Counts `next` instead of `stream`, on top of which it was made. */
  replace(stream: Stream, next: Stream): void {
    this.add(next);
    stream.duplex.off('close', this.#closed);
    this.#remove(stream.duplex);
    this.#watcher?.moved(stream, next);
  }

  /** Resolves when no stream is open. */
  empty(): Promise<void> {
    if (this.#streams.length === 0) return Promise.resolve();
    this.#whenEmpty ??= Promise.withResolvers<void>();
    return this.#whenEmpty.promise;
  }

  /** The streams that are open now, in no particular order. */
  all(): Stream[] {
    return [...this.#streams];
  }

  /** Closes all streams now. */
  destroyAll(): void {
    for (const stream of this.all()) stream.destroy();
  }

  #forget(duplex: Duplex): void {
    const stream = this.#remove(duplex);
    if (stream !== undefined) this.#watcher?.closed(stream);
    if (this.#streams.length > 0) return;
    this.#whenEmpty?.resolve();
    this.#whenEmpty = undefined;
  }

  #remove(duplex: Duplex & Placed): Stream | undefined {
    const place = duplex[kPlace];
    if (place === undefined) return undefined;
    duplex[kPlace] = undefined;
    const removed = this.#streams[place];
    const last = this.#streams.pop() as Stream;
    if (last === removed) return removed;
    this.#streams[place] = last;
    (last.duplex as Placed)[kPlace] = place;
    return removed;
  }
}
