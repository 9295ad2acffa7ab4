/**
 * The contract between a server and what runs in it. Knows neither listeners nor tasks.
 */
import type { Logger } from '../logger.ts';
import type { ServerConfiguration } from '../server/server-conf.ts';

/** What a service is given when it starts. */
export interface ServiceContext {
  /** Aborted when the service should stop; what it has begun may finish. */
  readonly shutdown: AbortSignal;
  /** Aborted when the time is up: drop everything now. Always after, or together with, `shutdown`. */
  readonly fast: AbortSignal;
  /** Carries the name of the service on each line. */
  readonly logger: Logger;
  readonly configuration: ServerConfiguration;
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
  /** True when {@link reloadCertificates} has something to do: then SIGHUP means that, not the end. */
  readonly hasCertificates?: boolean;
  /** Reads certificates again. Rejecting is logged; the old ones stay in use. */
  reloadCertificates?(): Promise<void>;
  /** How many connections are open, for the log line about what a stop waits for. */
  readonly openConnections?: number;
  /** Tells a service from a {@link BackgroundService}. */
  readonly task?: undefined;
}
