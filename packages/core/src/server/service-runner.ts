/**
 * Starts services in the order of their dependencies and knows which of them still run.
 *
 * When to stop is decided elsewhere (shutdown.ts); this file only passes the signals on.
 */
import { CirqueError } from '@cirque/error';
import { childLogger, type Logger } from '../logger.ts';
import type { LogFiles } from '../logs/log-files.ts';
import type { Service, ServiceContext } from '../service/service.ts';
import { allocateShared, soleThread } from '../service/thread-place.ts';
import { ServiceSockets } from '../sockets/service-sockets.ts';
import type { SocketTable } from '../sockets/socket-table.ts';
import type { ServerConfiguration } from './server-conf.ts';

/** What every service of a server shares. */
export interface RunnerOptions {
  readonly shutdown: AbortSignal;
  readonly fast: AbortSignal;
  readonly logger: Logger;
  readonly configuration: ServerConfiguration;
  readonly logs: LogFiles;
  /** The listening sockets of this process. */
  readonly table: SocketTable;
  /** When services that are not ready yet are named in the log, in milliseconds. Default 10,000. */
  readonly slowStartMs?: number;
}

/** A service with those that it waits for. */
export interface RunnerEntry {
  readonly service: Service;
  readonly dependencies: readonly Service[];
}

interface Run {
  readonly service: Service;
  readonly ready: PromiseWithResolvers<void>;
  isReady: boolean;
  ended: boolean;
}

/** The running services of one server. */
export class ServiceRunner {
  readonly #options: RunnerOptions;
  readonly #runs: Map<Service, Run> = new Map();
  readonly #failed = Promise.withResolvers<CirqueError>();

  constructor(options: RunnerOptions) {
    this.#options = options;
  }

  /** Starts everything. The promise resolves when all have stopped; it never rejects. */
  async start(entries: readonly RunnerEntry[]): Promise<void> {
    for (const { service } of entries) {
      this.#runs.set(service, { service, ready: Promise.withResolvers<void>(), isReady: false, ended: false });
    }
    await Promise.all(entries.map(({ service, dependencies }) => this.#launch(service, dependencies)));
  }

  /** Resolves with the error of the first service that could not start. */
  get failed(): Promise<CirqueError> {
    return this.#failed.promise;
  }

  /** Resolves when every service is ready. Names those that take long in the log, once. */
  async allReady(): Promise<void> {
    const slow = setTimeout(() => this.#reportSlow(), this.#options.slowStartMs ?? 10_000);
    this.#options.shutdown.addEventListener('abort', () => clearTimeout(slow), { once: true });
    await Promise.all([...this.#runs.values()].map((run) => run.ready.promise));
    clearTimeout(slow);
  }

  /** Services that have not stopped. */
  running(): readonly Service[] {
    return [...this.#runs.values()].filter((run) => !run.ended).map((run) => run.service);
  }

  async #launch(service: Service, dependencies: readonly Service[]): Promise<void> {
    const run = this.#run(service);
    try {
      await Promise.all(dependencies.map((dependency) => this.#run(dependency).ready.promise));
      if (!this.#options.shutdown.aborted) await service.start(this.#context(run));
    } catch (cause) {
      this.#report(run, CirqueError.from(cause, 'InternalError', 'Internal'));
    } finally {
      run.ended = true;
      this.#becomeReady(run);
    }
  }

  #context(run: Run): ServiceContext {
    const { shutdown, fast, configuration, logger, logs, table } = this.#options;
    const { service } = run;
    return {
      shutdown,
      fast,
      configuration,
      logs,
      logger: childLogger(logger, { service: service.name }),
      sockets: new ServiceSockets(service.name, table, shutdown),
      thread: soleThread(allocateShared(service.sharedMemory?.(1))),
      ready: () => this.#becomeReady(run),
    };
  }

  #becomeReady(run: Run): void {
    run.isReady = true;
    run.ready.resolve();
  }

  #report(run: Run, error: CirqueError): void {
    const { logger, shutdown } = this.#options;
    const facts = { err: error, service: run.service.name };
    if (shutdown.aborted) logger.error(facts, 'service failed while it was stopping');
    else if (run.isReady) logger.error(facts, 'service failed; the others go on');
    else this.#failed.resolve(error);
  }

  #reportSlow(): void {
    const names = [...this.#runs.values()].filter((run) => !run.isReady).map((run) => run.service.name);
    this.#options.logger.warn({ services: names }, 'services have not become ready yet; what depends on them waits');
  }

  #run(service: Service): Run {
    const run = this.#runs.get(service);
    if (run === undefined) throw new Error(`service ${service.name} is not part of this server`);
    return run;
  }
}
