/**
 * The contract of an application that serves raw connections. Knows nothing of HTTP.
 */
import type { Stream } from '@cirque/transport';

/** A value, or a promise of it. Only a promise is awaited. */
export type MaybePromise<T> = T | PromiseLike<T>;

/**
 * Serves connections: one object for all connections of a service.
 *
 * A TCP echo server: `{ processNew: ({ duplex }) => { duplex.pipe(duplex); } }`.
 */
export interface ServerApp {
  /**
   * How this application reads. `duplex` (default): through `stream.duplex`, with `pipe` or `for await`.
   * `callback`: through a handler given to `stream.start()`, which is faster.
   */
  readonly reads?: 'callback' | 'duplex';
  /**
   * Takes over a new connection. It counts as open until its stream is closed, whenever the promise settles.
   * Throwing or rejecting is logged and destroys the stream.
   *
   * The application closes its own side: after the client's FIN the stream stays open for writing.
   *
   * @param shutdown aborted when the server stops gracefully: finish what was begun and close. It is one signal for
   * all connections; an application with many of them does better with one listener and a set of its own.
   */
  processNew(stream: Stream, shutdown: AbortSignal): MaybePromise<void>;
  /** Called once, when the service has stopped listening; connections may still be open. Rejecting is logged. */
  cleanup?(): MaybePromise<void>;
}
