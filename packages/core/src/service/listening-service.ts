/**
 * A service that listens: endpoints, an application, and the connections that are open between the two.
 */
import type { MessagePort } from 'node:worker_threads';
import { CirqueError } from '@cirque/error';
import { formatAddress, type InetAddress, parseAddress, type UnixAddress } from '@cirque/transport';
import type { ServerApp } from '../app/server-app.ts';
import { type ConnectionFilter, type ConnectionFilterLike, connectionFilter } from '../listeners/connection-filter.ts';
import type { ConnectionLimitOptions } from '../listeners/connection-limit-options.ts';
import {
  type ListeningAddress,
  listeningAddress,
  type TcpSocketOptions,
  type UnixSocketOptions,
} from '../listeners/endpoint.ts';
import { Listeners } from '../listeners/listeners.ts';
import { ServiceConnections } from '../listeners/service-connections.ts';
import { TlsSettings } from '../listeners/tls/tls-settings.ts';
import type { StackContext, TransportStack } from '../listeners/transport-stack.ts';
import { type Logger, silentLogger } from '../logger.ts';
import { checkThreads, type ServerConfiguration, type Threads } from '../server/server-conf.ts';
import type { ServiceSockets } from '../sockets/service-sockets.ts';
import type { SocketRecord } from '../sockets/socket-record.ts';
import { closeDescriptor } from '../sockets/socket-table.ts';
import { receiveServers, sendServers } from '../workers/server-transfer.ts';
import { aborted } from './aborted.ts';
import { ConnectionDrain } from './connection-drain.ts';
import type { Replicated } from './replicated.ts';
import type { EndpointCheck, Legacy, Service, ServiceContext, SocketName } from './service.ts';
import type { StatsTree } from './stats-tree.ts';
import { TicketKeyring, type TicketKeys } from './ticket-keyring.ts';
import { TlsReplica, type TlsStates } from './tls-replica.ts';

/** Limits and threads of a listening service. */
export interface ListeningServiceOptions extends ConnectionLimitOptions {
  /** How many worker threads serve; `auto`: one for each processor. Default: as the configuration says (`threads`). */
  readonly threads?: Threads;
}

/** How long connections may go on when a service could open only a part of its endpoints, in milliseconds. */
const FAILED_START_MS = 5_000;

/** What a running service works with. */
interface Running {
  readonly stack: StackContext;
  readonly sockets: ServiceSockets;
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
  readonly threads: Threads | 'configured';
  readonly #listeners = new Listeners();
  readonly #connections: ServiceConnections;
  #filter: ConnectionFilter | undefined;
  readonly #keyring = new TicketKeyring(() => this.#listeners.tlsSettings);
  readonly #replica = new TlsReplica(() => this.#listeners.tlsSettings);
  /** Set while it runs. */
  #running: Running | undefined;
  readonly #stacks: TransportStack[] = [];
  /** Listening on behalf of other threads, by their numbers. */
  readonly #adopted: Map<number, Promise<readonly TransportStack[]>[]> = new Map();
  #resolved: Readonly<Record<string, string>> = {};
  #tunnelGraceMs = 0;
  #started = false;
  #logger: Logger = silentLogger;

  /** @throws TypeError or RangeError for a wrong name, application or limit. */
  constructor(name: string, app: A, options: ListeningServiceOptions = {}) {
    if (typeof name !== 'string' || name === '') throw new TypeError('a service needs a name that is not empty');
    if (typeof app?.processNew !== 'function')
      throw new TypeError(`the application of service ${name} needs a processNew() function`);
    const { threads, ...limits } = options;
    if (threads !== undefined) checkThreads(`threads of service ${name}`, threads);
    this.name = name;
    this.app = app;
    this.threads = threads ?? 'configured';
    this.#connections = new ServiceConnections(name, app, limits);
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

  /** Certificates and the keys of session tickets, which all its threads share. */
  get replicated(): Replicated<TlsStates> | undefined {
    return this.hasCertificates ? this.#replica : undefined;
  }

  /** The keys of session tickets, which its successors go on with. */
  get legacy(): Legacy<TicketKeys> | undefined {
    return this.hasCertificates ? this.#keyring : undefined;
  }

  /** Called by the server before threads are started: reads the certificates for all of them. */
  async prepareThreads({ logger }: Pick<ServiceContext, 'logger'>): Promise<void> {
    this.#logger = logger;
    try {
      for (const settings of this.#listeners.tlsSettings) await settings.load();
    } catch (error) {
      throw this.#startFailed(error);
    }
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

  /** Called by the server on SIGHUP. */
  reconfigure(configuration: ServerConfiguration): void {
    this.#tunnelGraceMs = configuration.tunnelGracePeriodSeconds * 1_000;
    this.app.reconfigure?.(configuration);
  }

  /** Where it listens: as configured before the start, as bound (with real ports) from then on. */
  get endpoints(): readonly ListeningAddress[] {
    const bound = this.#stacks.map((stack) => stack.address);
    return (bound.length > 0 ? bound : this.#listeners.addresses.map((address) => this.#real(address))).map(
      listeningAddress,
    );
  }

  /** Connections that are open now, in this thread. */
  get openConnections(): number {
    return this.#connections.open.size;
  }

  /** Counters and gauges of this thread: `connections`, and what the application counts. */
  stats(): StatsTree {
    return { connections: this.#connections.stats(), ...this.app.stats?.() };
  }

  /** Called by the server before threads are started. */
  sharedMemory(rows: number): Readonly<Record<string, number>> {
    return this.#connections.sharedMemory(rows);
  }

  /** The sockets that it needs. */
  get socketNames(): readonly SocketName[] {
    return this.#listeners.socketNames;
  }

  /** Called by the server before threads share the addresses. */
  async resolveEndpoints(isInherited: (name: SocketName) => boolean): Promise<Readonly<Record<string, string>>> {
    this.#resolved = await this.#listeners.resolve(isInherited).catch((error: unknown) => {
      throw this.#startFailed(error);
    });
    return this.#resolved;
  }

  /** Called in a worker thread: serves on the sockets of another one. */
  async adopt(owner: number, sockets: readonly SocketRecord[]): Promise<void> {
    const running = this.#running;
    if (running === undefined || running.stack.shutdown.aborted) {
      for (const { fd } of sockets) closeDescriptor(fd);
      return;
    }
    const stacks = this.#listeners.adopt(owner, sockets, running.stack, running.sockets);
    this.#adopted.set(owner, [...(this.#adopted.get(owner) ?? []), stacks]);
    await stacks;
  }

  /** Called in a worker thread: the other one serves again. What is still being opened for it is closed at once. */
  release(owner: number): void {
    const close = (stacks: readonly TransportStack[]): void => {
      for (const stack of stacks) stack.stop();
    };
    for (const stacks of this.#adopted.get(owner) ?? []) stacks.then(close, () => {}); // adopt() says why not
    this.#adopted.delete(owner);
  }

  /** Called in a worker thread: another one takes its place. */
  async surrender(port: MessagePort | undefined): Promise<void> {
    const servers = this.#stacks.flatMap(({ movable }) => movable ?? []);
    if (port !== undefined) sendServers(port, servers);
    await Promise.all(this.#stacks.filter(({ isUnix }) => isUnix).map((stack) => stack.acceptRest()));
  }

  /** Called in a worker thread that takes the place of another one. */
  receive(port: MessagePort): Promise<void> {
    const running = this.#running;
    if (running === undefined) throw new Error(`service ${this.name} does not run yet`);
    const { stack, sockets } = running;
    return receiveServers(port, (moved) => {
      const received = this.#listeners.receive(moved, stack, sockets);
      this.#stacks.push(received);
      if (stack.shutdown.aborted) received.stop();
    });
  }

  /**
   * Called by the server. Opens all endpoints, serves until `context.shutdown`, then waits for the open connections
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
    const { shutdown, logger, configuration, logs, thread } = context;
    this.#logger = logger;
    this.#tunnelGraceMs = configuration.tunnelGracePeriodSeconds * 1_000;
    this.#connections.join(thread);
    await this.app.setUp?.({ logger, configuration, logs, thread });
    const drain = new ConnectionDrain(this.app, this.#connections, logger);
    let { fast } = context;
    try {
      if (!shutdown.aborted) await this.#serve(context, drain);
    } catch (error) {
      // Endpoints that could be opened have served until now: what they have accepted may finish, soon.
      fast = AbortSignal.any([fast, AbortSignal.timeout(FAILED_START_MS)]);
      drain.begin(0);
      throw error;
    } finally {
      await Promise.all([this.#cleanUp(logger), drain.end(fast)]);
    }
  }

  /** Called by the server for `--test`. */
  check(): Promise<readonly EndpointCheck[]> {
    return this.#listeners.check();
  }

  /** Listens until the shutdown. */
  async #serve(context: ServiceContext, drain: ConnectionDrain): Promise<void> {
    const { shutdown, logger, ready, sockets, thread } = context;
    const stack = { app: this.app, connections: this.#connections, logger, shutdown, filter: this.#filter };
    this.#running = { stack, sockets };
    const built = await this.#listeners.build(stack, sockets, thread.index === 0).catch((error: unknown) => {
      throw this.#startFailed(error);
    });
    this.#stacks.push(...built);
    logger.info({ endpoints: this.endpoints.map(({ text }) => text) }, 'listening');
    ready();
    await aborted(shutdown);
    for (const one of this.#stacks) one.stop();
    for (const owner of [...this.#adopted.keys()]) this.release(owner);
    drain.begin(this.#tunnelGraceMs);
  }

  #real(address: InetAddress | UnixAddress): InetAddress | UnixAddress {
    const text = this.#resolved[formatAddress(address)];
    return text === undefined ? address : parseAddress(text);
  }

  #startFailed(error: unknown): unknown {
    if (!CirqueError.is(error)) return error;
    const { type, source, context, cause } = error;
    return new CirqueError(type, `service ${this.name} ${context}`, { source, cause });
  }

  async #cleanUp(logger: Logger): Promise<void> {
    try {
      await this.app.cleanup?.();
    } catch (error) {
      logger.error({ err: CirqueError.from(error, 'InternalError') }, 'cleanup of the application failed');
    }
  }

  #checkNotStarted(call: string): void {
    if (this.#started) throw new Error(`${call} of service ${this.name} must come before the server starts`);
  }
}
