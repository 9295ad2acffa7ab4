/**
 * The contract between a server and what runs in it. Knows neither listeners nor tasks.
 */
import type { MessagePort } from 'node:worker_threads';
import type { Logger } from '../logger.ts';
import type { LogFiles } from '../logs/log-files.ts';
import type { ServerConfiguration, Threads } from '../server/server-conf.ts';
import type { ServiceSockets } from '../sockets/service-sockets.ts';
import type { SocketKind, SocketRecord } from '../sockets/socket-record.ts';
import type { Replicated } from './replicated.ts';
import type { StatsTree } from './stats-tree.ts';
import type { ThreadPlace } from './thread-place.ts';

/** What a service is given when it starts. */
export interface ServiceContext {
  /** Aborted when the service should stop; what it has begun may finish. */
  readonly shutdown: AbortSignal;
  /** Aborted when the time is up: drop everything now. Always after, or together with, `shutdown`. */
  readonly fast: AbortSignal;
  /** Carries the name of the service on each line. */
  readonly logger: Logger;
  readonly configuration: ServerConfiguration;
  /** Opens listening sockets: those of a predecessor where it has handed them over (upgrade), else new ones. */
  readonly sockets: ServiceSockets;
  /** Log files of this thread; they are opened again on SIGHUP and SIGUSR2. */
  readonly logs: LogFiles;
  /** Which of the service's threads this is. */
  readonly thread: ThreadPlace;
  /**
   * Tells that the service does its work now, which lets the services that depend on it start. Later calls change
   * nothing. A service whose `start` ends counts as ready as well.
   */
  ready(): void;
}

/** The outcome of trying one address for `--test`. */
export interface EndpointCheck {
  readonly endpoint: string;
  /** `in use` passes: it is what a check beside the live server finds. */
  readonly outcome: 'ok' | 'in use' | 'failed';
  /** Why it failed, and what would help. */
  readonly reason?: string;
}

/** Something that runs for as long as its server. */
export interface Service {
  readonly name: string;
  /**
   * Runs the service; called once, when every service it depends on is ready. The promise settles when the service
   * has stopped completely, which it should do soon after `context.shutdown` is aborted.
   *
   * Rejecting before `ready()` means that it cannot start, and ends the server. Later it is logged, and the other
   * services go on.
   */
  start(context: ServiceContext): Promise<void>;
  /** For `--test`: tries what `start` would bind, and leaves nothing behind. */
  check?(context: Pick<ServiceContext, 'logger' | 'configuration'>): Promise<readonly EndpointCheck[]>;
  /**
   * How many worker threads run it, each with a call of `start` of its own; `configured`: as many as the configuration
   * says. Default 1: it runs on the main thread.
   */
  readonly threads?: Threads | 'configured' | undefined;
  /** Bytes of memory that its threads share, by name: see ThreadPlace for the rule of rows. */
  sharedMemory?(rows: number): Readonly<Record<string, number>>;
  /** A thread is gone: clears its row of whatever memory they share beyond {@link sharedMemory}. */
  clearRow?(row: number): void;
  /** Where it listens, so that the threads of a successor, or of a service manager, can be given its sockets. */
  readonly socketNames?: readonly SocketName[] | undefined;
  /**
   * Before threads share its addresses: refuses those on which somebody else listens, and answers which ports stand for
   * port 0. Addresses that were inherited need no look.
   */
  resolveEndpoints?(isInherited: (name: SocketName) => boolean): Promise<Readonly<Record<string, string>>>;
  /** Listens on further sockets, on behalf of another thread. */
  adopt?(owner: number, sockets: readonly SocketRecord[]): Promise<void>;
  /** Leaves alone what {@link adopt} was given for this owner; accepted connections stay. */
  release?(owner: number): void;
  /**
   * Moves what it listens on to the thread that takes its place, over the port where there is one (server-transfer.ts).
   * Unix sockets cannot be moved, their paths are taken by then: their queues are emptied. Open connections stay.
   */
  surrender?(port: MessagePort | undefined): Promise<void>;
  /** Serves on what {@link surrender} of the old thread moves. Resolves when that is all. */
  receive?(port: MessagePort): Promise<void>;
  /** State that goes to worker threads. */
  readonly replicated?: Replicated | undefined;
  /** State that goes to a successor. */
  readonly legacy?: Legacy | undefined;
  /**
   * Called on the main thread before the service runs in several others: reads what they get as `replicated`. Rejecting means
   * that it cannot start.
   */
  prepareThreads?(context: Pick<ServiceContext, 'logger'>): Promise<void>;
  /** True when {@link reloadCertificates} has something to do. */
  readonly hasCertificates?: boolean;
  /** Reads certificates again. Rejecting is logged; the old ones stay in use. */
  reloadCertificates?(): Promise<void>;
  /** Takes over settings that may change while it runs (SIGHUP). */
  reconfigure?(configuration: ServerConfiguration): void;
  /** Counters and gauges, as plain data. */
  stats?(): StatsTree;
  /** How many connections are open, for the log line about what a stop waits for. */
  readonly openConnections?: number | undefined;
  /** Tells a service from a {@link BackgroundService}. */
  readonly task?: undefined;
}

/** State that outlives its process: the successor of an upgrade goes on with it. */
export interface Legacy<S = unknown> {
  /** Plain JSON. It may be secret. */
  snapshot(): S;
  apply(snapshot: S): void;
}

/** A socket by what is known before it is open. */
export interface SocketName {
  readonly kind: SocketKind;
  /** The configured address in the form of `formatAddress`. */
  readonly address: string;
}
