/**
 * The server: owns configuration, logger and services, runs them and stops them.
 *
 * Starting is service-runner.ts, stopping is shutdown.ts; this file joins the two with signals and exit codes.
 * It never installs handlers for uncaught errors: those belong to the program.
 */
import { setMaxListeners } from 'node:events';
import { CirqueError, type CirqueError as Failure } from '@cirque/error';
import { createLogger, type Logger, logLevelFromEnvironment, type ServerLogger } from '../logger.ts';
import { type BackgroundService, backgroundServiceOf } from '../service/background-service.ts';
import type { Service } from '../service/service.ts';
import { ServiceGraph, type ServiceHandle } from '../service/service-graph.ts';
import type { ServerOptions } from './cli-options.ts';
import { ConfigurationError } from './conf-error.ts';
import { loadConfiguration } from './conf-file.ts';
import { type ExecutionPhase, type PhaseListener, PhaseTracker } from './execution-phase.ts';
import { runtimeWarning } from './runtime-check.ts';
import { type ServerConfiguration, serverConfiguration } from './server-conf.ts';
import { ServiceRunner } from './service-runner.ts';
import { shutdown } from './shutdown.ts';
import { watchReload, watchSignals } from './signals.ts';
import { StopRequest } from './stop-request.ts';
import { testRun } from './test-run.ts';

/** How an embedding program stops a server that it runs. */
export interface RunArgs {
  /** Aborting it stops the server gracefully. */
  readonly signal?: AbortSignal | undefined;
  /** Aborting it stops the server at once, also during a graceful stop. */
  readonly fast?: AbortSignal | undefined;
}

/** How long the process may live on after the server has ended, before it is ended, in milliseconds. */
const EXIT_AFTER_FAST_MS = 1_000;

/**
 * Runs services until it is told to stop.
 *
 * ```ts
 * const server = new Server(parseArgs());
 * server.bootstrap();
 * server.addService(service);
 * await server.runForever();
 * ```
 */
export class Server {
  /** True in the process that owns signals and background work, which is every process so far. */
  readonly isMain: boolean = true;
  readonly options: ServerOptions;
  readonly #given: ServerConfiguration | undefined;
  readonly #graph = new ServiceGraph();
  readonly #phases = new PhaseTracker();
  readonly #request = new StopRequest();
  readonly #ownLogger: ServerLogger | undefined;
  readonly #logger: Logger;
  #configuration: ServerConfiguration | undefined;
  #finished: Promise<void> | undefined;

  /**
   * @param configuration settings from code instead of those of a file; missing ones get their defaults.
   * @throws TypeError or RangeError for a wrong setting; RangeError for a wrong log level in the environment.
   */
  constructor(options: ServerOptions = {}, configuration?: Partial<ServerConfiguration>) {
    this.options = options;
    this.#given = configuration === undefined ? undefined : serverConfiguration(configuration);
    this.#ownLogger = options.logger === undefined ? createLogger(logLevelFromEnvironment() ?? 'info') : undefined;
    this.#logger = options.logger ?? (this.#ownLogger as Logger);
  }

  /** Where the server writes its log lines. Its level is final after {@link bootstrap}. */
  get logger(): Logger {
    return this.#logger;
  }

  /** The validated settings. Runs {@link bootstrap} when that has not been done. */
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
   * Runs until SIGTERM (open connections finish) or SIGINT (they do not), then lets the process end with code 0.
   *
   * The promise resolves when everything has stopped. A service that cannot start is logged, stops the others and
   * gives code 1. When something outside the server keeps the process alive after that, it is ended by force: after
   * `gracefulShutdownTimeoutSeconds`, or after one second when the stop was a fast one. With `--test` nothing is
   * served: the addresses and certificates are tried, and the code says whether all is well.
   *
   * Where a service listens with TLS, SIGHUP means {@link reloadCertificates}; elsewhere it keeps its usual meaning.
   */
  async runForever(): Promise<void> {
    const unwatch = watchSignals((kind, signal) => {
      this.#logger.info({ signal }, kind === 'fast' ? 'stopping now' : 'stopping, open connections may finish');
      this.#request.request(kind);
    });
    const hasCertificates = this.#graph.entries().some(({ service }) => service.hasCertificates === true);
    const unwatchReload = hasCertificates ? watchReload(() => void this.reloadCertificates()) : () => {};
    let code = 0;
    try {
      await this.run();
    } catch (error) {
      code = 1;
      this.#logger.error({ err: error }, error instanceof Error ? error.message : String(error));
    } finally {
      unwatch();
      unwatchReload();
    }
    process.exitCode = code;
    this.#exitWhenOverdue(code);
  }

  /**
   * Runs until a signal is aborted; for programs that embed a server. Touches neither OS signals nor the exit code.
   *
   * @throws CirqueError when a service cannot start, after the others have stopped, or when a `--test` fails.
   */
  async run({ signal, fast }: RunArgs = {}): Promise<void> {
    if (this.#finished !== undefined) throw new Error('this server runs already or has run; make a new one');
    const finished = Promise.withResolvers<void>();
    this.#finished = finished.promise;
    const unfollow = [this.#request.follow(signal, 'graceful'), this.#request.follow(fast, 'fast')];
    try {
      this.bootstrap();
      this.#graph.freeze();
      if (this.options.test === true) await this.#test();
      else await this.#serve();
    } finally {
      for (const stop of unfollow) stop();
      finished.resolve();
    }
  }

  /**
   * Reads the certificates of all services again, for new connections. What came of it is logged; a service of which
   * something cannot be used keeps its old ones. Never rejects.
   */
  async reloadCertificates(): Promise<void> {
    for (const { service } of this.#graph.entries()) {
      if (service.hasCertificates !== true) continue;
      try {
        await service.reloadCertificates?.();
        this.#logger.info({ service: service.name }, 'certificates read again');
      } catch (error) {
        this.#logger.error({ err: error, service: service.name }, 'certificates could not be read; the old ones stay');
      }
    }
  }

  /** Stops fast, as SIGINT does, and waits for the end. Does nothing when the server does not run. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#request.request('fast');
    await this.#finished;
  }

  #bootstrap(): ServerConfiguration {
    this.#phases.enter('Bootstrap', this.#logger);
    const configuration = this.#given ?? this.#load();
    if (this.#given !== undefined && this.options.conf !== undefined) {
      this.#logger.warn({ conf: this.options.conf }, 'the configuration file is ignored: settings were given in code');
    }
    if (this.#ownLogger !== undefined) this.#ownLogger.level = logLevelFromEnvironment() ?? configuration.logLevel;
    const warning = runtimeWarning();
    if (warning !== undefined) this.#logger.warn(warning);
    this.#configuration = configuration;
    this.#phases.enter('BootstrapComplete', this.#logger);
    return configuration;
  }

  #load(): ServerConfiguration {
    const { conf, io } = this.options;
    if (conf === undefined) return serverConfiguration();
    try {
      const { configuration, warnings } = loadConfiguration(conf);
      for (const warning of warnings) this.#logger.warn(warning);
      return configuration;
    } catch (error) {
      if (io !== undefined && error instanceof ConfigurationError) {
        io.stderr.write(`${error.message}\n`);
        io.exit(1);
      }
      throw error;
    }
  }

  async #test(): Promise<void> {
    const services = this.#graph.entries().map(({ service }) => service);
    const failures = await testRun({ services, configuration: this.configuration, logger: this.#logger });
    this.#phases.enter('Terminated', this.#logger);
    if (failures.length > 0) throw CirqueError.internal('BindError', `test failed: ${failures.join('; ')}`);
    this.#logger.info('test passed');
  }

  async #serve(): Promise<void> {
    const [stop, cut] = [new AbortController(), new AbortController()];
    setMaxListeners(0, stop.signal, cut.signal);
    const { configuration, logger } = { configuration: this.configuration, logger: this.#logger };
    const runner = new ServiceRunner({ shutdown: stop.signal, fast: cut.signal, configuration, logger });
    // Listeners keep a process alive, background services need not: the server promised to run.
    const alive = setInterval(() => {}, 0x7fffffff);
    let failure: Failure | undefined;
    void runner.failed.then((error) => {
      failure ??= error;
      this.#request.request('fast');
    });
    try {
      const enter = (phase: ExecutionPhase): void => this.#phases.enter(phase, logger);
      if (this.#request.kind !== undefined) stop.abort(); // told to stop before it began: nothing needs to start
      const stopped = runner.start(this.#graph);
      void runner.allReady().then(() => {
        if (this.#request.kind === undefined) enter('Running');
      });
      const kind = await this.#request.first;
      await shutdown(kind, {
        runner,
        stopped,
        request: this.#request,
        shutdown: stop,
        fast: cut,
        configuration,
        logger,
        enter,
      });
      enter('Terminated');
    } finally {
      clearInterval(alive);
    }
    if (failure !== undefined) throw failure;
  }

  /** Ends the process when something outside the server keeps it alive; the timer itself does not. */
  #exitWhenOverdue(code: number): void {
    const seconds = this.#configuration?.gracefulShutdownTimeoutSeconds ?? 0;
    const ms = this.#request.kind === 'fast' ? EXIT_AFTER_FAST_MS : seconds * 1_000;
    setTimeout(() => {
      const resources = process.getActiveResourcesInfo();
      this.#logger.warn({ resources }, 'the process is still alive after the server has stopped; ending it');
      process.exit(code);
    }, ms).unref();
  }
}

function isBackgroundService(service: Service | BackgroundService): service is BackgroundService {
  return service.task !== undefined;
}
