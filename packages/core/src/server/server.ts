/**
 * The server: owns configuration, logger and services, runs them and stops them.
 *
 * What runs is in running-server.ts, or, in a worker thread, in workers/run-in-worker.ts; what signals, daemon and service
 * manager have to do with it is in process-host.ts. This file joins them. It never installs handlers for uncaught
 * errors: those belong to the program.
 */
import { CirqueError } from '@cirque/error';
import { type Logger, logLevelFromEnvironment, type ServerLogger } from '../logger.ts';
import { LogFiles } from '../logs/log-files.ts';
import type { LogOwner } from '../logs/open-log.ts';
import { createLogger } from '../logs/server-logger.ts';
import { type BackgroundService, backgroundServiceOf } from '../service/background-service.ts';
import type { Service } from '../service/service.ts';
import { ServiceGraph, type ServiceHandle } from '../service/service-graph.ts';
import type { RespawnOptions } from '../upgrade/respawn.ts';
import { processStats } from '../workers/process-stats.ts';
import { runInWorker } from '../workers/run-in-worker.ts';
import {
  countServer,
  endThread,
  isWorkerThread,
  roleOfServer,
  threadEnd,
  type WorkerRole,
} from '../workers/worker-role.ts';
import type { ServerOptions } from './cli-options.ts';
import { ConfigurationSource } from './configuration-source.ts';
import { type ExecutionPhase, type PhaseListener, PhaseTracker } from './execution-phase.ts';
import { embeddedHost, type Host, type Lifecycle } from './host.ts';
import { checkProcess } from './process-check.ts';
import { ProcessHost } from './process-host.ts';
import { Reloader, type ReloadListener } from './reloader.ts';
import { RunningServer } from './running-server.ts';
import { runtimeWarning } from './runtime-check.ts';
import type { ServerConfiguration } from './server-conf.ts';
import type { ServerStats } from './server-stats.ts';
import { StopRequest } from './stop-request.ts';
import { testRun } from './test-run.ts';

/** How an embedding program stops a server that it runs. */
export interface RunArgs {
  /** Aborting it stops the server gracefully. */
  readonly signal?: AbortSignal | undefined;
  /** Aborting it stops the server at once, also during a graceful stop. */
  readonly fast?: AbortSignal | undefined;
}

/** The exit code when a graceful stop had to cut connections at its deadline. */
const CODE_CUT = 3;

/**
 * Runs services until it is told to stop.
 *
 * ```ts
 * const server = new Server(parseArgs());
 * server.bootstrap();
 * server.addService(service);
 * await server.runForever();
 * ```
 *
 * With threads above 1 the entry module runs again in every worker thread; the server made there finds out by itself that
 * it is to run one service only, as one of several threads. A module that makes several servers makes them in the same order
 * in every thread.
 */
export class Server implements Lifecycle {
  readonly options: ServerOptions;
  readonly #position: number = countServer();
  readonly #role: WorkerRole | undefined = roleOfServer(this.#position);
  readonly #source: ConfigurationSource;
  readonly #graph = new ServiceGraph();
  readonly #phases = new PhaseTracker();
  readonly #request = new StopRequest();
  readonly #ownLogger: ServerLogger | undefined;
  readonly #logger: Logger;
  readonly #logs: LogFiles = new LogFiles((path, error) => {
    this.#logger.error({ err: error, path }, 'a log file cannot be written');
  });
  readonly #memory: Map<string, SharedArrayBuffer> = new Map();
  readonly #startedAt = performance.now();
  readonly #reloader: Reloader;
  #configuration: ServerConfiguration | undefined;
  #running: RunningServer | undefined;
  #finished: Promise<void> | undefined;
  #isReady = false;
  /** Asks the main thread, where this is another one. */
  #askMain: (<T>(name: string) => Promise<T>) | undefined;

  /**
   * @param configuration settings from code instead of those of a file; missing ones get their defaults.
   * @throws TypeError or RangeError for a wrong setting; RangeError for a wrong log level in the environment.
   */
  constructor(options: ServerOptions = {}, configuration?: Partial<ServerConfiguration>) {
    this.options = options;
    this.#ownLogger = options.logger === undefined ? createLogger(logLevelFromEnvironment() ?? 'info') : undefined;
    this.#logger = options.logger ?? (this.#ownLogger as Logger);
    this.#source = new ConfigurationSource(options, configuration, this.#logger);
    this.#reloader = new Reloader({
      source: this.#source,
      logger: this.#logger,
      conf: options.conf,
      configuration: () => this.configuration,
      take: (next) => {
        this.#configured(next);
        this.#running?.reconfigure(next);
      },
      isMain: () => this.isMain,
      reloadCertificates: () => this.reloadCertificates(),
    });
  }

  /**
   * True where the server itself is: on the main thread of the process that serves. False in worker threads, and in the
   * command that only starts a daemon. What an entry module starts besides the server (demo origins, timers) belongs
   * under `if (server.isMain)`.
   */
  get isMain(): boolean {
    return !isWorkerThread() && !ProcessHost.isLauncher(this.options, this.configuration);
  }

  /** True while the server accepts work: every service is ready, and it has not been asked to stop. In all threads. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /** Where the server writes its log lines. Its level is final after {@link bootstrap}. */
  get logger(): Logger {
    return this.#logger;
  }

  /** The validated settings, as they are now (SIGHUP). Runs {@link bootstrap} when that has not been done. */
  get configuration(): ServerConfiguration {
    return this.#configuration ?? this.#bootstrap();
  }

  get phase(): ExecutionPhase {
    return this.#phases.current;
  }

  /** Calls `listener` with each phase that is entered from now on; the result stops that. */
  onPhase(listener: PhaseListener): () => void {
    return this.#phases.onPhase(listener);
  }

  /**
   * Reads the configuration. Calling it again does nothing.
   *
   * @throws ConfigurationError when the file cannot be used; where the options come from {@link parseArgs}, the
   * problems are printed instead and the process ends with code 1.
   */
  bootstrap(): void {
    if (this.#configuration === undefined) this.#bootstrap();
  }

  /**
   * Adds a service, or a background service as load-balancing makes it.
   *
   * @throws TypeError when it is there already or has not the shape of a service; Error when the server runs.
   */
  addService(service: Service | BackgroundService): ServiceHandle {
    if (typeof service.name !== 'string' || typeof service.start !== 'function') {
      throw new TypeError('addService() needs an object with a name and a start() function');
    }
    return this.#graph.add(isBackgroundService(service) ? backgroundServiceOf(service) : service);
  }

  /**
   * Memory that all threads see, zeroed at first: for counters and limits of your own. Call it before {@link runForever};
   * the same name gives the same memory, in worker threads that of the main thread.
   *
   * @throws RangeError when `bytes` is not a whole number above 0, or differs from what the name was given before.
   */
  sharedMemory(name: string, bytes: number): SharedArrayBuffer {
    const known = this.#role?.serverMemory.get(name) ?? this.#memory.get(name);
    if (!Number.isInteger(bytes) || bytes < 1 || (known !== undefined && known.byteLength !== bytes)) {
      const before = known === undefined ? 'a whole number above 0' : `${known.byteLength} as before`;
      throw new RangeError(`sharedMemory(${JSON.stringify(name)}): bytes must be ${before}, got ${String(bytes)}`);
    }
    const memory = known ?? new SharedArrayBuffer(bytes);
    this.#memory.set(name, memory);
    return memory;
  }

  /**
   * Runs until SIGTERM (open connections finish) or SIGINT (they do not), then lets the process end.
   *
   * The promise resolves when everything has stopped. Exit codes: 0, stopped as asked, or handed over to a successor; 1, a
   * service could not start, which is logged and stops the others; 3, connections had to be cut at the end of the grace
   * period. When something outside the server keeps the process alive after that, it is ended by force: after
   * `gracefulShutdownTimeoutSeconds`, or after one second when the stop was a fast one. With `--test` nothing is
   * served: the addresses and certificates are tried, and the code says whether all is well.
   *
   * SIGQUIT hands over to a successor started with `-u`; SIGHUP is {@link reload} and opens log
   * files again, SIGUSR2 does only the latter. In a worker
   * thread the main thread says when to stop.
   */
  async runForever(): Promise<void> {
    if (isWorkerThread()) {
      await this.run();
      return;
    }
    await new ProcessHost(this, {
      options: this.options,
      logger: this.#logger,
      ownLogger: this.#ownLogger,
    }).runForever();
  }

  /**
   * Runs until a signal is aborted; for programs that embed a server. Touches neither OS signals nor the exit code, and
   * is no daemon.
   *
   * @throws CirqueError when a service cannot start, after the others have stopped, or when a `--test` fails.
   */
  async run({ signal, fast }: RunArgs = {}): Promise<void> {
    const unfollow = [this.#request.follow(signal, 'graceful'), this.#request.follow(fast, 'fast')];
    try {
      await this.serve(embeddedHost(this.configuration, this.options, this.#logger));
    } finally {
      for (const stop of unfollow) stop();
    }
  }

  /** @internal Runs within a host. Answers the exit code. */
  async serve(host: Host): Promise<number> {
    if (this.#finished !== undefined) throw new Error('this server runs already or has run; make a new one');
    const finished = Promise.withResolvers<void>();
    this.#finished = finished.promise;
    try {
      this.bootstrap();
      this.#graph.freeze();
      if (!isWorkerThread()) return await this.#serve(host);
      await this.#work();
      return 0;
    } finally {
      this.#logs.close();
      finished.resolve();
    }
  }

  /** @internal Asks the server to stop. */
  stop(kind: 'graceful' | 'fast'): void {
    this.#request.request(kind);
  }

  /** @internal What was asked for. */
  get stopKind(): 'graceful' | 'fast' | undefined {
    return this.#request.kind;
  }

  /** @internal Whom log files belong to that are created from now on. */
  ownLogs(owner: LogOwner): void {
    this.#logs.owner = owner;
  }

  /** @internal See RunningServer. */
  async checkRights(): Promise<void> {
    await this.#running?.checkRights();
  }

  /** @internal See RunningServer. */
  upgrade(uids: readonly number[], respawn: RespawnOptions): Promise<number | undefined> {
    return this.#running?.upgrade(uids, respawn) ?? Promise.resolve(undefined);
  }

  /**
   * Reads the configuration again, in all threads, calls who asked for it by {@link onReload}, then reads the certificates.
   * What has changed is logged, also what will take effect only with the next start. With an error in the configuration,
   * or in a certificate, the old one stays. A reload that comes while another one is under way begins after it. Never
   * rejects.
   */
  reload(): Promise<void> {
    return this.#reloader.run();
  }

  /**
   * Calls `listener` on every {@link reload}, on the main thread only: after the configuration was read, which it finds in
   * {@link configuration}, and before the certificates are. It is not called when the configuration cannot be used. A
   * promise is awaited; rejecting is logged, and means that what ran before goes on. The result ends that.
   */
  onReload(listener: ReloadListener): () => void {
    return this.#reloader.onReload(listener);
  }

  /** Opens log files again, in all threads: what was renamed meanwhile is left behind. */
  reopenLogs(): void {
    this.#logs.reopen();
    this.#ownLogger?.reopen();
    this.#running?.reopenLogs();
  }

  /**
   * Reads the certificates of all services again, for new connections. What came of it is logged; a service of which
   * something cannot be used keeps its old ones. Never rejects.
   */
  async reloadCertificates(): Promise<void> {
    await this.#running?.reloadCertificates();
  }

  /**
   * Replaces the worker threads one after the other: each new one serves before the old one stops accepting, and the old one
   * finishes what it has begun. Does nothing where there are none.
   *
   * @throws CirqueError when a new thread cannot start; those that were not replaced go on.
   */
  async restartWorkers(): Promise<void> {
    await this.#running?.restartWorkers();
  }

  /**
   * All counters as plain data: per service, merged over its threads, with those of peers and backends below. The same in
   * every thread. A thread that does not answer within two seconds is left out.
   */
  async stats(): Promise<ServerStats> {
    if (this.#askMain !== undefined) return this.#askMain('serverStats');
    const services = (await this.#running?.stats()) ?? {};
    const workers = (await this.#running?.workers()) ?? [];
    const { rss } = process.memoryUsage();
    return {
      pid: process.pid,
      phase: this.phase,
      ready: this.#isReady,
      uptimeMs: Math.round(performance.now() - this.#startedAt),
      process: { rss, ...processStats() },
      services,
      workers,
    };
  }

  /** Stops fast, as SIGINT does, and waits for the end. Does nothing when the server does not run. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#request.request('fast');
    await this.#finished;
  }

  #bootstrap(): ServerConfiguration {
    this.#phases.enter('Bootstrap', this.#logger);
    const configuration = this.#role?.configuration ?? this.#source.load();
    this.#setLevel(configuration);
    if (this.#role !== undefined && configuration.errorLog !== '') this.#followErrorLog(configuration.errorLog);
    const warning = this.#role === undefined ? runtimeWarning() : undefined;
    if (warning !== undefined) this.#logger.warn(warning);
    this.#configuration = configuration;
    this.#phases.enter('BootstrapComplete', this.#logger);
    return configuration;
  }

  /** The main thread has opened it. Where this one may not, it is of more use without than not at all. */
  #followErrorLog(errorLog: string): void {
    try {
      this.#ownLogger?.writeTo(errorLog);
    } catch (error) {
      this.#logger.warn({ err: error, errorLog }, 'a thread cannot open the error log; it writes to standard error');
    }
  }

  #setLevel({ logLevel }: ServerConfiguration): void {
    if (this.#ownLogger !== undefined) this.#ownLogger.level = logLevelFromEnvironment() ?? logLevel;
  }

  #configured(configuration: ServerConfiguration): void {
    this.#configuration = configuration;
    this.#setLevel(configuration);
  }

  async #test(): Promise<void> {
    const services = this.#graph.entries().map(({ service }) => service);
    const daemon = this.options.daemon === true || this.configuration.daemon;
    const failures = [
      ...checkProcess(this.configuration, daemon),
      ...(await testRun({ services, configuration: this.configuration, logger: this.#logger })),
    ];
    if (failures.length > 0) throw CirqueError.internal('BindError', `test failed: ${failures.join('; ')}`);
    this.#logger.info('test passed');
  }

  async #serve(host: Host): Promise<number> {
    try {
      if (this.options.test !== true) return await this.#runWithin(host);
      await this.#test();
      return 0;
    } finally {
      this.#phases.enter('Terminated', this.#logger);
    }
  }

  async #runWithin(host: Host): Promise<number> {
    const logger = this.#logger;
    const stop = new AbortController();
    void this.#request.first.then(() => stop.abort());
    const predecessor = await host.begin(stop.signal);
    if (predecessor !== undefined && 'takenOverBy' in predecessor) {
      logger.info(
        { successor: predecessor.takenOverBy },
        'the running server has started its successor itself; nothing is left to do',
      );
      return 0;
    }
    const enter = (phase: ExecutionPhase): void => this.#phases.enter(phase, logger);
    this.#running = new RunningServer({
      graph: this.#graph,
      options: this.options,
      position: this.#position,
      configuration: this.configuration,
      logger,
      logs: this.#logs,
      request: this.#request,
      predecessor,
      memory: this.#memory,
      enter,
      readyChanged: (isReady) => this.#readyChanged(isReady),
      listening: () => host.listening(),
      ready: () => host.ready(),
      stats: () => this.stats(),
    });
    return (await this.#running.run()) === 'cut' ? CODE_CUT : 0;
  }

  async #work(): Promise<void> {
    const role = this.#role;
    // Another server of the entry module: it has nothing to do in this thread.
    if (role === undefined) return threadEnd();
    const [shutdown, fast] = [new AbortController(), new AbortController()];
    this.#isReady = role.isReady;
    this.#logs.owner = role.logOwner;
    this.#logs.lenient = role.isReady; // this thread takes the place of one that has died
    await runInWorker({
      role,
      services: this.#graph.entries().map(({ service }) => service),
      logger: this.#logger,
      logs: this.#logs,
      shutdown,
      fast,
      connected: (call) => {
        this.#askMain = call;
      },
      reconfigured: (configuration) => this.#configured(configuration),
      readyChanged: (isReady) => this.#readyChanged(isReady),
      reopenLogs: () => this.reopenLogs(),
    }).finally(endThread);
  }

  #readyChanged(isReady: boolean): void {
    this.#isReady = isReady;
  }
}

function isBackgroundService(service: Service | BackgroundService): service is BackgroundService {
  return service.task !== undefined;
}
