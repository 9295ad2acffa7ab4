/**
 * A service that listens: endpoints, an application, and the connections that are open between the two.
 */
import { CirqueError } from '@cirque/error';
import type { InetAddress } from '@cirque/transport';
import type { ServerApp } from '../app/server-app.ts';
import { type ConnectionFilter, type ConnectionFilterLike, connectionFilter } from '../listeners/connection-filter.ts';
import {
  type ListeningAddress,
  listeningAddress,
  type TcpSocketOptions,
  type UnixSocketOptions,
} from '../listeners/endpoint.ts';
import { Listeners } from '../listeners/listeners.ts';
import { OpenStreams } from '../listeners/open-streams.ts';
import { TlsSettings } from '../listeners/tls/tls-settings.ts';
import type { TransportStack } from '../listeners/transport-stack.ts';
import { type Logger, silentLogger } from '../logger.ts';
import type { EndpointCheck, Service, ServiceContext } from './service.ts';

/** Limits of a listening service. */
export interface ListeningServiceOptions {
  /** Connections open at the same time; further ones are closed as they come. Default: no limit. */
  readonly maxConnections?: number;
}

/**
 * Serves connections with an application.
 *
 * ```ts
 * const echo = new ListeningService('echo', { processNew: ({ duplex }) => void duplex.pipe(duplex) });
 * echo.addTcp('0.0.0.0:7');
 * server.addService(echo);
 * ```
 */
export class ListeningService<A extends ServerApp = ServerApp> implements Service {
  readonly name: string;
  /** The application; one object serves all connections. */
  readonly app: A;
  readonly #options: ListeningServiceOptions;
  readonly #listeners = new Listeners();
  readonly #open = new OpenStreams();
  #filter: ConnectionFilter | undefined;
  #stacks: readonly TransportStack[] = [];
  #started = false;
  #logger: Logger = silentLogger;

  /** @throws TypeError or RangeError for a wrong name, application or limit. */
  constructor(name: string, app: A, options: ListeningServiceOptions = {}) {
    if (typeof name !== 'string' || name === '') throw new TypeError('a service needs a name that is not empty');
    if (typeof app?.processNew !== 'function')
      throw new TypeError(`the application of service ${name} needs a processNew() function`);
    const { maxConnections } = options;
    if (maxConnections !== undefined && !(Number.isInteger(maxConnections) && maxConnections > 0)) {
      throw new RangeError(`maxConnections must be a whole number above 0, got ${String(maxConnections)}`);
    }
    this.name = name;
    this.app = app;
    this.#options = options;
  }

  /**
   * Listens on `host:port`, `[ipv6]:port` or `name:port`. `0.0.0.0` means every IPv4 address of the machine, `[::]`
   * every address of both families. Port 0 lets the system choose: see {@link endpoints}.
   *
   * @throws TypeError or RangeError for a wrong address or option.
   */
  addTcp(address: string | InetAddress, options?: TcpSocketOptions): this {
    this.#checkNotStarted('addTcp()');
    this.#listeners.addTcp(address, options);
    return this;
  }

  /**
   * Listens on a unix socket. A socket file that nobody answers on is replaced; a living one, or another kind of
   * file, is an error at start. The file is removed when the service stops.
   *
   * @throws TypeError or RangeError for a wrong path or option.
   */
  addUds(path: string, options?: UnixSocketOptions): this {
    this.#checkNotStarted('addUds()');
    this.#listeners.addUds(path, options);
    return this;
  }

  /**
   * Listens with TLS, with one certificate from files; they are read when the service starts. For everything else there
   * is {@link addTlsWithSettings}.
   *
   * @param address as for {@link addTcp}, or a unix socket as `unix:/path`.
   * @throws TypeError or RangeError for a wrong address, path or option.
   */
  addTls(
    address: string | InetAddress,
    certFile: string,
    keyFile: string,
    options?: TcpSocketOptions | UnixSocketOptions,
  ): this {
    return this.addTlsWithSettings(address, TlsSettings.intermediate(certFile, keyFile), options);
  }

  /**
   * Listens with TLS as the settings say. One settings object may serve many addresses and services.
   *
   * @throws TypeError or RangeError for a wrong address or option.
   */
  addTlsWithSettings(
    address: string | InetAddress,
    settings: TlsSettings,
    options?: TcpSocketOptions | UnixSocketOptions,
  ): this {
    this.#checkNotStarted('addTlsWithSettings()');
    if (!(settings instanceof TlsSettings)) throw new TypeError('addTlsWithSettings() needs a TlsSettings object');
    this.#listeners.addTls(address, settings, options);
    return this;
  }

  /** Sees every connection of every endpoint before a byte of it is read. A second call replaces the first filter. */
  setConnectionFilter(filter: ConnectionFilterLike): this {
    this.#checkNotStarted('setConnectionFilter()');
    this.#filter = connectionFilter(filter);
    return this;
  }

  /** True when it listens with TLS, so that {@link reloadCertificates} has something to do. */
  get hasCertificates(): boolean {
    return this.#listeners.tlsSettings.length > 0;
  }

  /**
   * Reads the files of all TLS settings again, for new connections; open ones stay as they are. Settings of which
   * something cannot be used stay as they were.
   *
   * @throws CirqueError of type TLSConfigError for the first of those, after all were tried.
   */
  async reloadCertificates(): Promise<void> {
    const outcomes = await Promise.allSettled(this.#listeners.tlsSettings.map((settings) => settings.reload()));
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') throw outcome.reason;
      for (const warning of outcome.value) this.#logger.warn(warning);
    }
  }

  /** Where it listens: as configured before the start, as bound (with real ports) from then on. */
  get endpoints(): readonly ListeningAddress[] {
    const bound = this.#stacks.map((stack) => stack.address);
    return (bound.length > 0 ? bound : this.#listeners.addresses).map(listeningAddress);
  }

  /** Connections that are open now. */
  get openConnections(): number {
    return this.#open.size;
  }

  /**
   * Called by the server. Binds all endpoints, serves until `context.shutdown`, then waits for the open connections
   * until `context.fast`, which destroys them.
   *
   * @throws CirqueError of type BindError, naming the endpoint, the reason and a remedy.
   */
  async start(context: ServiceContext): Promise<void> {
    this.#checkNotStarted('start()');
    if (this.#listeners.addresses.length === 0) {
      throw new TypeError(
        `service ${this.name} has no endpoint: call addTcp(), addUds() or addTls() before the server starts`,
      );
    }
    this.#started = true;
    const { shutdown, logger, configuration, fast } = context;
    this.#logger = logger;
    await this.app.setUp?.({ logger, configuration });
    try {
      if (!shutdown.aborted) await this.#serve(context);
    } finally {
      await Promise.all([this.#cleanUp(logger), this.#drain(fast)]);
    }
  }

  /** Called by the server for `--test`. */
  check(): Promise<readonly EndpointCheck[]> {
    return this.#listeners.check();
  }

  /** Listens until the shutdown. */
  async #serve({ shutdown, logger, ready }: ServiceContext): Promise<void> {
    const { maxConnections } = this.#options;
    const parts = { app: this.app, open: this.#open, logger, shutdown, filter: this.#filter, maxConnections };
    this.#stacks = await this.#listeners.build(parts).catch((error: unknown) => {
      throw this.#startFailed(error);
    });
    logger.info({ endpoints: this.endpoints.map(({ text }) => text) }, 'listening');
    ready();
    await aborted(shutdown);
    for (const stack of this.#stacks) stack.stop();
    this.#shutConnectionsDown(logger);
  }

  #startFailed(error: unknown): unknown {
    if (!CirqueError.is(error)) return error;
    const { type, source, context, cause } = error;
    return new CirqueError(type, `service ${this.name} ${context}`, { source, cause });
  }

  #shutConnectionsDown(logger: Logger): void {
    if (this.app.shutdownConnection === undefined) return;
    for (const stream of this.#open.all()) {
      // Closed by the stacks: the application has not got them.
      if (stream.destroyed) continue;
      try {
        this.app.shutdownConnection(stream);
      } catch (error) {
        logger.error({ err: CirqueError.from(error, 'InternalError') }, 'a connection could not be shut down');
        stream.destroy();
      }
    }
  }

  async #cleanUp(logger: Logger): Promise<void> {
    try {
      await this.app.cleanup?.();
    } catch (error) {
      logger.error({ err: CirqueError.from(error, 'InternalError') }, 'cleanup of the application failed');
    }
  }

  async #drain(fast: AbortSignal): Promise<void> {
    await Promise.race([this.#open.empty(), aborted(fast)]);
    this.#open.destroyAll();
    await this.#open.empty();
  }

  #checkNotStarted(call: string): void {
    if (this.#started) throw new Error(`${call} of service ${this.name} must come before the server starts`);
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
