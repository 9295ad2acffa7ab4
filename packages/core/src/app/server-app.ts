/**
 * The contract of an application that serves raw connections. Knows nothing of HTTP.
 */
import type { Stream } from '@cirque/transport';
import type { Logger } from '../logger.ts';
import type { LogFiles } from '../logs/log-files.ts';
import type { ServerConfiguration } from '../server/server-conf.ts';
import type { StatsTree } from '../service/stats-tree.ts';
import type { ThreadPlace } from '../service/thread-place.ts';

/** A value, or a promise of it. Only a promise is awaited. */
export type MaybePromise<T> = T | PromiseLike<T>;

/** What an application is given before its first connection. */
export interface AppContext {
  /** Carries the name of the service on each line. */
  readonly logger: Logger;
  readonly configuration: ServerConfiguration;
  /** Log files of this thread. */
  readonly logs: LogFiles;
  /** Which of the service's threads this is. */
  readonly thread: ThreadPlace;
}

/**
 * Serves connections: one object for all connections of a service.
 *
 * A TCP echo server: `{ processNew: ({ duplex }) => { duplex.pipe(duplex); } }`.
 */
export interface ServerApp {
  /**
   * How this application reads. `duplex` (default): through `stream.duplex`, with `pipe` or `for await`.
   * `callback`: through a handler given to `stream.start()`, which is faster. `leased`: the same where large amounts are
   * passed on, as `stream.largeReads` works then.
   */
  readonly reads?: 'callback' | 'leased' | 'duplex';
  /** Called once, before the service listens. Rejecting means that the service cannot start. */
  setUp?(context: AppContext): MaybePromise<void>;
  /**
   * Takes over a new connection. It counts as open until its stream is closed, whenever the promise settles.
   * Throwing or rejecting is logged and destroys the stream.
   *
   * The application closes its own side: after the client's FIN the stream stays open for writing.
   *
   * @param shutdown aborted when the service stops. One signal for all connections: with many of them,
   * {@link shutdownConnection} is cheaper than a listener for each.
   */
  processNew(stream: Stream, shutdown: AbortSignal): MaybePromise<void>;
  /**
   * Called for each open connection when the service stops: finish what was begun, then close. A connection that
   * stays open is cut at the end of the grace period.
   */
  shutdownConnection?(stream: Stream): void;
  /**
   * Called for each open connection when the time of tunnels is over, which is after {@link shutdownConnection} and before
   * the end of the grace period: end what goes on for as long as its ends like (upgraded connections), and nothing else.
   */
  shutdownTunnels?(stream: Stream): void;
  /**
   * Takes over a connection that is one too many: says so in few words, then closes it, soon. Not called for connections
   * with TLS, and not for more than 100 at a time: those are closed without a word.
   */
  overLimit?(stream: Stream): void;
  /** Takes over settings that may change while it runs (SIGHUP). */
  reconfigure?(configuration: ServerConfiguration): void;
  /** Counters and gauges, as plain data. */
  stats?(): StatsTree;
  /**
   * Called once, when the service has stopped listening, or could not begin to; connections may still be open.
   * Rejecting is logged.
   */
  cleanup?(): MaybePromise<void>;
}
