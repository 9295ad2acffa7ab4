/**
 * A server while it runs: its services, inline or in threads, and what may happen to them until they have stopped.
 *
 * What the process around it is told (pid file, service manager, rights) is process-host.ts.
 */
import { setMaxListeners } from 'node:events';
import { type CirqueError, CirqueError as Failure } from '@cirque/error';
import { loadSys, sysUnavailable } from '@cirque/sys';
import type { Logger } from '../logger.ts';
import type { LogFiles } from '../logs/log-files.ts';
import type { Service } from '../service/service.ts';
import type { ServiceGraph } from '../service/service-graph.ts';
import { mergeStats, type StatsTree } from '../service/stats-tree.ts';
import type { SocketRecord } from '../sockets/socket-record.ts';
import { SocketTable } from '../sockets/socket-table.ts';
import type { RespawnOptions } from '../upgrade/respawn.ts';
import { sendHandover } from '../upgrade/send-handover.ts';
import { entryOf } from '../workers/entry.ts';
import { ThreadedService } from '../workers/threaded-service.ts';
import type { ServerOptions } from './cli-options.ts';
import type { ExecutionPhase } from './execution-phase.ts';
import { noPredecessor, type Predecessor } from './predecessor.ts';
import type { ServerConfiguration } from './server-conf.ts';
import { ServiceRunner } from './service-runner.ts';
import { shutdown } from './shutdown.ts';
import type { StopRequest } from './stop-request.ts';
import { threadCount } from './thread-count.ts';

/** What a running server is made of. */
export interface RunningServerParts {
  readonly graph: ServiceGraph;
  readonly options: ServerOptions;
  /** Which of the servers of this thread it is: see countServer(). */
  readonly position: number;
  readonly configuration: ServerConfiguration;
  readonly logger: Logger;
  readonly logs: LogFiles;
  readonly request: StopRequest;
  readonly predecessor: Predecessor | undefined;
  readonly memory: ReadonlyMap<string, SharedArrayBuffer>;
  enter(phase: ExecutionPhase): void;
  /** Whether the server accepts work has changed. */
  readyChanged(isReady: boolean): void;
  /** Everything listens; nobody has been told. What throws here ends the server. */
  listening(): Promise<void> | void;
  /** Everything works. */
  ready(): void;
  /** The counters of the whole server, for threads that ask. */
  stats(): Promise<unknown>;
}

/** See the file's head. */
export class RunningServer {
  readonly #parts: RunningServerParts;
  readonly #predecessor: Predecessor;
  readonly #table: SocketTable;
  readonly #stop = new AbortController();
  readonly #cut = new AbortController();
  readonly #services: readonly Service[];
  readonly #runner: ServiceRunner;
  #configuration: ServerConfiguration;
  #isReady = false;
  #upgrading = false;
  /** Somebody else serves: a successor, or the predecessor still. */
  #handedOver = false;

  constructor(parts: RunningServerParts) {
    const { configuration, logger, logs, predecessor = noPredecessor } = parts;
    this.#parts = parts;
    this.#configuration = configuration;
    this.#predecessor = predecessor;
    setMaxListeners(0, this.#stop.signal, this.#cut.signal);
    const mayGrow = process.platform === 'linux' && loadSys() === undefined;
    this.#table = new SocketTable({ inherited: predecessor.sockets, mayGrow });
    this.#services = this.#placed(parts.graph.entries().map(({ service }) => service));
    const shared = { shutdown: this.#stop.signal, fast: this.#cut.signal, table: this.#table };
    this.#runner = new ServiceRunner({ ...shared, configuration, logger, logs });
  }

  /** Runs until it is told to stop. Rejects when a service cannot start, after the others have stopped. */
  async run(): Promise<'finished' | 'cut'> {
    const { request, graph } = this.#parts;
    // Listeners keep a process alive, background services need not: the server promised to run.
    const alive = setInterval(() => {}, 0x7fffffff);
    let failure: CirqueError | undefined;
    const takesOver = this.#predecessor.sockets.length > 0;
    const fail = (error: CirqueError): void => {
      failure ??= error;
      // The predecessor hears of it at once, and goes on. What this server has accepted beside it may finish.
      this.#predecessor.close();
      this.#handedOver = takesOver;
      request.request(takesOver ? 'graceful' : 'fast');
    };
    void this.#runner.failed.then(fail);
    const onAbandoned = (): void => fail(upgradeFailed());
    this.#predecessor.abandoned?.addEventListener('abort', onAbandoned, { once: true });
    try {
      this.#takeOverState();
      if (request.kind !== undefined) this.#stop.abort(); // told to stop before it began: nothing needs to start
      const stopped = this.#runner.start(this.#entries(graph));
      this.#becomeReady().catch((error: unknown) => fail(Failure.from(error, 'InternalError', 'Internal')));
      const outcome = await this.#shutdown(stopped);
      if (failure !== undefined) throw failure;
      return outcome;
    } finally {
      this.#predecessor.abandoned?.removeEventListener('abort', onAbandoned);
      clearInterval(alive);
      this.#predecessor.close();
      this.#table.closeRest();
    }
  }

  /** Everything that listens, in all threads. */
  get sockets(): readonly SocketRecord[] {
    return [...this.#table.list(), ...this.#threaded().flatMap(({ sockets }) => sockets)];
  }

  /** Settings that may change while it runs. */
  reconfigure(configuration: ServerConfiguration): void {
    this.#configuration = configuration;
    for (const service of this.#services) service.reconfigure?.(configuration);
  }

  /** See `Server.reloadCertificates`. */
  async reloadCertificates(): Promise<void> {
    const { logger } = this.#parts;
    await this.#readCertificates({
      read: (service) => logger.info({ service }, 'certificates read again'),
      failed: (service, err) => logger.error({ err, service }, 'certificates could not be read; the old ones stay'),
    });
  }

  /**
   * Tries what the user that the server has become should be able to do, and warns where it is not.
   */
  async checkRights(): Promise<void> {
    const { logger } = this.#parts;
    if (this.#threaded().length > 0 && loadSys() === undefined)
      logger.warn(
        `threads that die cannot be replaced, because another user has opened the sockets: ${sysUnavailable()}`,
      );
    const advice =
      'the user that the server has become cannot read its certificates again; give its group the right to';
    await this.#readCertificates({ read: () => {}, failed: (service, err) => logger.warn({ err, service }, advice) });
  }

  /** The log files of the threads; those of this thread belong to the server. */
  reopenLogs(): void {
    for (const service of this.#threaded()) service.reopenLogs();
  }

  /** See `Server.restartWorkers`. */
  async restartWorkers(): Promise<void> {
    for (const service of this.#threaded()) await service.restart();
  }

  /** Counters of each service, by name. */
  async stats(): Promise<Readonly<Record<string, StatsTree>>> {
    const counters = (await Promise.all(this.#threaded().map((service) => service.collectCounters()))).flat();
    const trees = this.#services.map(async (service, position) => {
      if (service instanceof ThreadedService) return [service.name, await service.collectStats()] as const;
      const own = service.stats?.();
      const copies = counters.filter(([at]) => at === position).map(([, tree]) => tree);
      return [service.name, own === undefined ? undefined : mergeStats([own, ...copies])] as const;
    });
    const known = (await Promise.all(trees)).filter(
      (entry): entry is readonly [string, StatsTree] => entry[1] !== undefined,
    );
    return Object.fromEntries(known);
  }

  /** How the worker threads are doing. */
  async workers(): Promise<readonly StatsTree[]> {
    return (await Promise.all(this.#threaded().map((service) => service.workers()))).flat();
  }

  /** Hands everything over to a successor, then stops gracefully. When that does not work it goes on. */
  async upgrade(uids: readonly number[], respawn: RespawnOptions): Promise<number | undefined> {
    const { logger, request, enter } = this.#parts;
    const configuration = this.#configuration;
    if (this.#upgrading || request.kind !== undefined || !this.#isReady) {
      logger.warn('asked for an upgrade while the server starts, stops or is upgraded already; nothing happens');
      return undefined;
    }
    this.#upgrading = true;
    enter('GracefulUpgradeTransferringFds');
    try {
      const { pid } = await sendHandover({
        path: configuration.upgradeSock,
        attempts: configuration.upgradeSockConnectAcceptMaxRetries + 1,
        readyTimeoutMs: configuration.upgradeReadyTimeoutSeconds * 1_000,
        uids,
        sockets: this.sockets,
        state: this.#state(),
        logger,
        signal: this.#stop.signal,
        sys: loadSys(),
        respawn,
      });
      this.#table.handedOver();
      for (const service of this.#threaded()) service.handedOver();
      this.#handedOver = true;
      logger.info({ successor: pid }, 'a successor has taken over; open connections may finish');
      request.request('graceful');
      return pid;
    } catch (error) {
      logger.error({ err: error }, 'the upgrade has failed; this server goes on');
      if (request.kind === undefined) enter('Running');
      return undefined;
    } finally {
      this.#upgrading = false;
    }
  }

  /** Those of one service after the other; says what came of each. */
  async #readCertificates(say: {
    read(service: string): void;
    failed(service: string, error: unknown): void;
  }): Promise<void> {
    for (const service of this.#services) {
      if (service.hasCertificates !== true) continue;
      try {
        await service.reloadCertificates?.();
        say.read(service.name);
      } catch (error) {
        say.failed(service.name, error);
      }
    }
  }

  async #becomeReady(): Promise<void> {
    const { logger, enter, request, listening, ready } = this.#parts;
    await this.#runner.allReady();
    if (request.kind !== undefined) return;
    for (const { service, address } of this.#table.closeRest())
      logger.info({ service, address }, 'a socket of the predecessor is not needed any more; it is closed');
    await listening();
    await this.#predecessor.ready();
    this.#table.takenOver();
    for (const service of this.#threaded()) service.takenOver();
    if (request.kind !== undefined) return;
    this.#setReady(true);
    enter('Running');
    ready();
  }

  async #shutdown(stopped: Promise<void>): Promise<'finished' | 'cut'> {
    const { request, logger, enter } = this.#parts;
    const kind = await request.first;
    this.#setReady(false);
    return shutdown(kind, {
      runner: this.#runner,
      stopped,
      request,
      shutdown: this.#stop,
      fast: this.#cut,
      configuration: this.#configuration,
      logger,
      handedOver: this.#handedOver,
      enter,
    });
  }

  #setReady(isReady: boolean): void {
    if (this.#isReady === isReady) return;
    this.#isReady = isReady;
    this.#parts.readyChanged(isReady);
    for (const service of this.#threaded()) service.setReady(isReady);
  }

  /** The services as they run: those with several threads get a stand-in. */
  #placed(services: readonly Service[]): readonly Service[] {
    const { options, memory, configuration } = this.#parts;
    return services.map((service, position) => {
      const threads = threadCount(service.threads, configuration.threads);
      if (threads === 1) return service;
      return new ThreadedService({
        service,
        position,
        // A module of its own makes only this one.
        server: options.entry === undefined ? this.#parts.position : 0,
        threads,
        entry: entryOf(options.entry, process.argv, process.execArgv),
        services,
        table: this.#table,
        serverMemory: memory,
        isReady: () => this.#isReady,
        serverStats: () => this.#parts.stats(),
      });
    });
  }

  #entries(graph: ServiceGraph): readonly { service: Service; dependencies: readonly Service[] }[] {
    const entries = graph.entries();
    const placed = new Map(entries.map(({ service }, position) => [service, this.#services[position] ?? service]));
    const stand = (service: Service): Service => placed.get(service) ?? service;
    return entries.map(({ service, dependencies }) => ({
      service: stand(service),
      dependencies: dependencies.map(stand),
    }));
  }

  #threaded(): readonly ThreadedService[] {
    return this.#services.filter((service) => service instanceof ThreadedService);
  }

  /** What a successor gets beside the sockets: the ticket keys of services with TLS. Secret. */
  #state(): Record<string, unknown> {
    const services = this.#parts.graph.entries().map(({ service }) => service);
    const entries = services.flatMap(({ name, legacy }) => (legacy === undefined ? [] : [[name, legacy.snapshot()]]));
    return Object.fromEntries(entries);
  }

  #takeOverState(): void {
    for (const { service } of this.#parts.graph.entries()) {
      const state = this.#predecessor.state[service.name];
      if (state !== undefined) service.legacy?.apply(state);
    }
  }
}

function upgradeFailed(): Failure {
  return Failure.internal('InternalError', 'the predecessor goes on serving: this server was not ready in time');
}
