/**
 * A service that several worker threads run, as the main thread sees it: started, stopped, asked and told as one.
 */
import { url as debuggerUrl } from 'node:inspector';
import { loadSys, type Sys } from '@cirque/sys';
import { STARTED_IN } from '../daemon/absolute-paths.ts';
import type { Logger } from '../logger.ts';
import type { LogFiles } from '../logs/log-files.ts';
import type { ServerConfiguration } from '../server/server-conf.ts';
import { aborted } from '../service/aborted.ts';
import { isReplicated, type Replicated } from '../service/replicated.ts';
import type { EndpointCheck, Service, ServiceContext } from '../service/service.ts';
import { mergeStats, type StatsTree } from '../service/stats-tree.ts';
import { allocateShared, clearRow } from '../service/thread-place.ts';
import type { SocketRecord } from '../sockets/socket-record.ts';
import type { SocketTable } from '../sockets/socket-table.ts';
import type { Entry } from './entry.ts';
import { canMoveServers, moveServers } from './server-transfer.ts';
import { SocketLending } from './socket-lending.ts';
import { SocketVault } from './socket-vault.ts';
import {
  answerOf,
  type Counted,
  countersOf,
  openConnectionsOf,
  PastCounters,
  statsOf,
  workersOf,
} from './thread-answers.ts';
import { ThreadPreparation } from './thread-preparation.ts';
import { endsWithin } from './within.ts';
import { type SlotHost, WorkerSlot } from './worker-slot.ts';
import { WorkerThread } from './worker-thread.ts';

/** How long threads may go on when others could not begin, in milliseconds. */
const FAILED_START_MS = 6_000;

/** How often threads are asked for their open connections while they stop, in milliseconds. */
const COUNT_EVERY_MS = 250;

/** How often threads are asked whether they are there, in milliseconds. */
const BEAT_MS = 1_000;

/** What the threads of a service are made with. */
export interface ThreadedServiceOptions {
  readonly service: Service;
  /** Its position in the order of `addService`. */
  readonly position: number;
  /** See WorkerRole. */
  readonly server: number;
  readonly threads: number;
  readonly entry: Entry;
  /** All services of the server, by position: the replicated ones are mirrored into the threads. */
  readonly services: readonly Service[];
  readonly table: SocketTable;
  readonly serverMemory: ReadonlyMap<string, SharedArrayBuffer>;
  isReady(): boolean;
  /** The counters of the whole server. */
  serverStats(): Promise<unknown>;
}

/** Runs a service in threads. Takes the place of the service it is made of. */
export class ThreadedService implements Service, SlotHost {
  readonly name: string;
  readonly #options: ThreadedServiceOptions;
  readonly #sys: Sys | undefined = loadSys();
  readonly #shared: Readonly<Record<string, SharedArrayBuffer>>;
  readonly #slots: readonly WorkerSlot[];
  readonly #lending: SocketLending;
  readonly #preparation: ThreadPreparation;
  /** How a thread that takes the place of another one comes to its sockets, where they cannot be duplicated. */
  readonly #heir: 'receives' | 'binds';
  #configuration!: ServerConfiguration;
  #logger!: Logger;
  #logs!: LogFiles;
  #stopMirrors: (() => void)[] = [];
  #openConnections: number | undefined;
  readonly #past: PastCounters = new PastCounters();

  constructor(options: ThreadedServiceOptions) {
    const { service, threads } = options;
    this.name = service.name;
    this.#options = options;
    this.#shared = allocateShared(service.sharedMemory?.(threads * 2));
    this.#slots = Array.from({ length: threads }, (_, index) => {
      return new WorkerSlot(index, [index, threads + index], new SocketVault(this.#sys), this);
    });
    this.#lending = new SocketLending(this.#slots);
    const { table } = options;
    this.#preparation = new ThreadPreparation({ service, table, slots: this.#slots, sys: this.#sys });
    this.#heir = service.receive !== undefined && canMoveServers() ? 'receives' : 'binds';
  }

  get logger(): Logger {
    return this.#logger;
  }

  /** Called by the server: starts the threads, and stops them with the server. */
  async start(context: ServiceContext): Promise<void> {
    const { configuration, logger, logs, shutdown, fast, ready } = context;
    this.#configuration = configuration;
    this.#logger = logger;
    this.#logs = logs;
    const heartbeat = setInterval(() => this.#beat(), BEAT_MS).unref();
    try {
      this.#preparation.deal(logger);
      await this.#prepare();
      if (shutdown.aborted) return;
      // What fails while everything is being stopped is of no interest.
      const started = this.#startAll();
      await Promise.race([started, aborted(shutdown).then(() => void started.catch(() => {}))]);
      if (!shutdown.aborted) {
        logger.info({ threads: this.#slots.length }, 'serving with worker threads');
        ready();
      }
      await aborted(shutdown);
      await this.#drain(fast);
    } catch (error) {
      // Threads that could begin have served until now: what they have accepted may finish, soon.
      for (const slot of this.#slots) slot.stop();
      await endsWithin(Promise.all(this.#slots.map((slot) => slot.ended())), FAILED_START_MS);
      throw error;
    } finally {
      clearInterval(heartbeat);
      for (const stop of this.#stopMirrors) stop();
      this.#preparation.close();
      await Promise.all(this.#slots.map((slot) => slot.end()));
    }
  }

  check(context: Pick<ServiceContext, 'logger' | 'configuration'>): Promise<readonly EndpointCheck[]> {
    return this.#options.service.check?.(context) ?? Promise.resolve([]);
  }

  get hasCertificates(): boolean {
    return this.#options.service.hasCertificates ?? false;
  }

  /**
   * On the main thread, and the others get what was read; all of them have it then. A service that cannot do that reads in
   * every thread: rejects with the first error, after all have tried.
   */
  async reloadCertificates(): Promise<void> {
    const { service } = this.#options;
    if (service.prepareThreads === undefined) {
      await this.#callAll('reloadCertificates');
      return;
    }
    await service.reloadCertificates?.();
    // What they were told comes before what they are asked.
    await Promise.all(this.#threads().map((thread) => answerOf(thread, 'beat')));
  }

  reconfigure(configuration: ServerConfiguration): void {
    this.#configuration = configuration;
    this.#tellAll('reconfigure', configuration);
  }

  reopenLogs(): void {
    this.#tellAll('reopenLogs');
  }

  setReady(isReady: boolean): void {
    this.#tellAll('setReady', isReady);
  }

  /** A successor has the sockets now. */
  handedOver(): void {
    this.#preparation.setOwnsPaths(false);
    this.#tellAll('handedOver');
  }

  /** The sockets of the predecessor are ours: the first thread removes the paths of unix sockets when it ends. */
  takenOver(): void {
    this.#preparation.setOwnsPaths(true);
    for (const thread of this.#slots[0]?.living ?? []) thread.tell('takenOver');
  }

  /** What all threads listen on. */
  get sockets(): readonly SocketRecord[] {
    return this.#slots.flatMap((slot) => slot.sockets);
  }

  /** Connections open in all threads, as far as known: they are asked now and then while the service stops. */
  get openConnections(): number | undefined {
    return this.#openConnections;
  }

  /** The counters of all threads as one, of those that were replaced, too. What a thread has counted that died is lost. */
  async collectStats(): Promise<StatsTree> {
    const present = await statsOf(this.#threads());
    return mergeStats([present, this.#past.stats]);
  }

  /** What the copies of replicated state count in the threads, by position of their services. */
  async collectCounters(): Promise<Counted['copies']> {
    const present = await countersOf(this.#threads());
    return [...present, ...this.#past.copies];
  }

  /** How each thread is doing. */
  workers(): Promise<readonly StatsTree[]> {
    return workersOf(this.name, this.#slots);
  }

  /** Replaces the threads one after the other; none that serves is missed. */
  async restart(): Promise<void> {
    for (const slot of this.#slots) await slot.replace();
  }

  /** How long a thread that was replaced may take to finish what it has begun, in milliseconds. */
  get leaveMs(): number {
    const { gracePeriodSeconds, gracefulShutdownTimeoutSeconds } = this.#configuration;
    return (gracePeriodSeconds + gracefulShutdownTimeoutSeconds) * 1_000;
  }

  spawn(slot: WorkerSlot, row: number, old: WorkerThread | undefined): WorkerThread {
    const { service, position, server, entry, serverMemory, isReady } = this.#options;
    const kept = slot.vault.sockets;
    const given = this.#preparation.take(slot.index);
    const { resolved, ownsPaths } = this.#preparation;
    const snapshots = this.#replicated().map(([at, state]) => [at, state.snapshot()] as const);
    return new WorkerThread({
      entry,
      heapMb: this.#configuration.workerHeapMb,
      logger: this.#logger,
      onFull: (thread) => slot.replaceFull(thread),
      onSockets: (thread, sockets) => {
        slot.listens(thread, sockets);
        this.#preparation.forgetRemoved();
      },
      serverStats: () => this.#options.serverStats(),
      onStopped: (counted) => this.#past.add(counted),
      role: {
        server,
        service: service.name,
        position,
        index: slot.index,
        count: this.#slots.length,
        row,
        rows: this.#slots.length * 2,
        shared: this.#shared,
        serverMemory,
        configuration: this.#configuration,
        startedIn: STARTED_IN,
        sockets: kept.length > 0 ? kept : given,
        duplicate: kept.length > 0,
        heir: old === undefined || this.#sys !== undefined ? undefined : this.#heir,
        resolved,
        ownsPaths: ownsPaths && slot.index === 0,
        snapshots: new Map(snapshots),
        isReady: isReady(),
        logOwner: this.#logs.owner,
      },
    });
  }

  async moveSockets(
    old: WorkerThread,
    next: WorkerThread,
    sockets: readonly SocketRecord[],
  ): Promise<readonly SocketRecord[]> {
    if (this.#sys !== undefined) return sockets;
    if (this.#heir === 'receives') return moveServers(old, next);
    this.#logger.warn(
      'connections that wait for the worker which is replaced are lost: to keep them needs native calls, or Node.js 24.21 or 26.6',
    );
    await old.call('surrender', {});
    return sockets;
  }

  changed(): void {
    this.#lending.settle();
  }

  cleared(row: number): void {
    clearRow(this.#shared, row, this.#slots.length * 2);
    this.#options.service.clearRow?.(row);
  }

  async #startAll(): Promise<void> {
    await Promise.all(this.#slots.map((slot) => slot.start()));
  }

  #beat(): void {
    // A thread that a debugger has stopped does not answer either.
    if (debuggerUrl() !== undefined) return;
    for (const slot of this.#slots) slot.beat();
  }

  /** What the threads need of the main thread before they begin. */
  async #prepare(): Promise<void> {
    const { service } = this.#options;
    await service.prepareThreads?.({ logger: this.#logger });
    await this.#preparation.resolve();
    for (const [position, state] of this.#replicated())
      this.#stopMirrors.push(state.onChange((change) => this.#tellAll('apply', { position, change })));
  }

  /** What the threads have copies of, by position. */
  #replicated(): readonly (readonly [position: number, state: Replicated])[] {
    const { service, services } = this.#options;
    return services.flatMap((one, position) => {
      const { replicated } = one;
      const isNeeded = one === service || replicated?.scope !== 'service';
      return isNeeded && isReplicated(replicated) ? [[position, replicated] as const] : [];
    });
  }

  /** What has begun may finish, until `fast` is aborted. */
  async #drain(fast: AbortSignal): Promise<void> {
    for (const slot of this.#slots) slot.stop();
    const ended = Promise.all(this.#slots.map((slot) => slot.ended()));
    const asking = setInterval(() => void this.#countConnections(), COUNT_EVERY_MS);
    await Promise.race([ended, aborted(fast)]);
    clearInterval(asking);
  }

  async #countConnections(): Promise<void> {
    this.#openConnections = await openConnectionsOf(this.#threads());
  }

  /** Those that can answer: also what was replaced and finishes what it has begun. */
  #threads(): readonly WorkerThread[] {
    return this.#living().filter(({ readyForMs }) => readyForMs > 0);
  }

  #living(): readonly WorkerThread[] {
    return this.#slots.flatMap(({ living }) => living);
  }

  /** Threads that are about to begin hear it as soon as they can. */
  #tellAll(name: string, argument?: unknown): void {
    for (const thread of this.#living()) thread.tell(name, argument);
  }

  async #callAll(name: string): Promise<void> {
    const outcomes = await Promise.allSettled(this.#threads().map((thread) => thread.call(name)));
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  }
}
