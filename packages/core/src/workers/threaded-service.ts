/**
 * A service that several worker threads run, as the main thread sees it: started, stopped, asked and told as one.
 */
import { loadSys, type Sys } from '@cirque/sys';
import { STARTED_IN } from '../daemon/absolute-paths.ts';
import type { Logger } from '../logger.ts';
import type { ServerConfiguration } from '../server/server-conf.ts';
import { isReplicated } from '../service/replicated.ts';
import type { EndpointCheck, Service, ServiceContext, SocketName } from '../service/service.ts';
import { mergeStats, type StatsTree } from '../service/stats-tree.ts';
import { allocateShared, clearRow } from '../service/thread-place.ts';
import type { SocketRecord } from '../sockets/socket-record.ts';
import type { SocketTable } from '../sockets/socket-table.ts';
import { dealSockets } from './deal-sockets.ts';
import type { Entry } from './entry.ts';
import { SocketVault } from './socket-vault.ts';
import { type SlotHost, WorkerSlot } from './worker-slot.ts';
import { WorkerThread } from './worker-thread.ts';

/** How often threads are asked for their open connections while they stop, in milliseconds. */
const COUNT_EVERY_MS = 250;

/** How long workers may take to answer a question, in milliseconds. */
const ANSWER_MS = 2_000;

/** What the threads of a service are made with. */
export interface ThreadedServiceOptions {
  readonly service: Service;
  /** Its position in the order of `addService`. */
  readonly position: number;
  readonly threads: number;
  readonly entry: Entry;
  /** All services of the server, by position: the replicated ones are mirrored into the threads. */
  readonly services: readonly Service[];
  readonly table: SocketTable;
  readonly serverMemory: ReadonlyMap<string, SharedArrayBuffer>;
  isReady(): boolean;
}

/** Runs a service in threads. Takes the place of the service it is made of. */
export class ThreadedService implements Service, SlotHost {
  readonly name: string;
  readonly #options: ThreadedServiceOptions;
  readonly #sys: Sys | undefined = loadSys();
  readonly #shared: Readonly<Record<string, SharedArrayBuffer>>;
  readonly #slots: readonly WorkerSlot[];
  /** By index: descriptors that came from a predecessor and go to the first thread of the slot without native calls. */
  #given: SocketRecord[][] = [];
  #resolved: Readonly<Record<string, string>> = {};
  #configuration!: ServerConfiguration;
  #logger!: Logger;
  #stopMirrors: (() => void)[] = [];
  #openConnections: number | undefined;
  /** Sockets that come from a predecessor remain its own until it has let go. */
  #ownsPaths = true;

  constructor(options: ThreadedServiceOptions) {
    const { service, threads } = options;
    this.name = service.name;
    this.#options = options;
    this.#shared = allocateShared(service.sharedMemory?.(threads * 2));
    this.#slots = Array.from({ length: threads }, (_, index) => {
      return new WorkerSlot(index, [index, threads + index], new SocketVault(this.#sys), this);
    });
  }

  get logger(): Logger {
    return this.#logger;
  }

  /** Called by the server: starts the threads, and stops them with the server. */
  async start(context: ServiceContext): Promise<void> {
    const { configuration, logger, shutdown, fast, ready } = context;
    this.#configuration = configuration;
    this.#logger = logger;
    this.#deal();
    if (shutdown.aborted) return;
    this.#resolved = (await this.#options.service.resolveEndpoints?.(this.#isInherited)) ?? {};
    this.#mirror();
    try {
      await this.#startAll();
      logger.info({ threads: this.#slots.length }, 'serving with worker threads');
      ready();
      await once(shutdown);
    } catch (error) {
      for (const slot of this.#slots) slot.cut();
      throw error;
    } finally {
      for (const slot of this.#slots) slot.stop();
      await this.#end(fast);
      for (const stop of this.#stopMirrors) stop();
    }
  }

  check(context: Pick<ServiceContext, 'logger' | 'configuration'>): Promise<readonly EndpointCheck[]> {
    return this.#options.service.check?.(context) ?? Promise.resolve([]);
  }

  get hasCertificates(): boolean {
    return this.#options.service.hasCertificates ?? false;
  }

  /** In every thread. Rejects with the first error, after all have tried. */
  async reloadCertificates(): Promise<void> {
    await this.#callAll('reloadCertificates');
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
    this.#tellAll('handedOver');
  }

  /** The sockets of the predecessor are ours: the first thread removes the paths of unix sockets when it ends. */
  takenOver(): void {
    this.#ownsPaths = true;
    for (const slot of this.#slots.slice(0, 1)) slot.thread?.tell('takenOver');
  }

  /** What all threads listen on. */
  get sockets(): readonly SocketRecord[] {
    return this.#slots.flatMap((slot) => slot.sockets);
  }

  /** Connections open in all threads, as far as known: they are asked now and then while the service stops. */
  get openConnections(): number | undefined {
    return this.#openConnections;
  }

  /** The counters of all threads as one. A thread that does not answer in time is left out. */
  async collectStats(): Promise<StatsTree> {
    const trees = await Promise.all(
      this.#threads().map((thread) => within(thread.call<StatsTree>('stats'), ANSWER_MS)),
    );
    return mergeStats(trees.filter((tree) => tree !== undefined));
  }

  /** What the copies of replicated state count in the threads, by position of their services. */
  async collectCounters(): Promise<readonly (readonly [number, StatsTree])[]> {
    const asked = this.#threads().map((thread) =>
      within(thread.call<(readonly [number, StatsTree])[]>('counters'), ANSWER_MS),
    );
    return (await Promise.all(asked)).flatMap((counters) => counters ?? []);
  }

  /** How each thread is doing. */
  async workers(): Promise<readonly StatsTree[]> {
    return Promise.all(
      this.#slots.map(async ({ index, thread, restarts }) => {
        const process = thread === undefined ? undefined : await within(thread.call<StatsTree>('process'), ANSWER_MS);
        return { service: this.name, index, up: thread !== undefined, restarts, ...process };
      }),
    );
  }

  /** Replaces the threads one after the other; none that serves is missed. */
  async restart(): Promise<void> {
    for (const slot of this.#slots) await slot.replace();
  }

  spawn(slot: WorkerSlot, row: number): WorkerThread {
    const { service, position, entry, serverMemory, services, isReady } = this.#options;
    const kept = slot.vault.sockets;
    const given = this.#given[slot.index]?.splice(0) ?? [];
    const snapshots = services.flatMap((one, at) =>
      isReplicated(one.replicated) ? [[at, one.replicated.snapshot()] as const] : [],
    );
    return new WorkerThread({
      entry,
      heapMb: this.#configuration.workerHeapMb,
      onFull: (thread) => this.#replaceFull(slot, thread),
      role: {
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
        resolved: this.#resolved,
        ownsPaths: this.#ownsPaths && slot.index === 0,
        snapshots: new Map(snapshots),
        isReady: isReady(),
      },
    });
  }

  up(slot: WorkerSlot): void {
    // Lent to a sibling while the slot was empty. It goes on with the connections it has accepted.
    for (const other of this.#slots) other.thread?.tell('release', slot.index);
    this.#shareUnixSockets();
  }

  down(slot: WorkerSlot): void {
    const sibling = this.#slots.find((other) => other.thread !== undefined);
    const sockets = slot.vault.sockets.filter(({ kind }) => kind !== 'udp');
    if (sibling === undefined) return;
    if (sockets.length > 0) sibling.thread?.tell('adopt', { owner: slot.index, sockets });
    else if (this.#sys === undefined)
      this.#logger.warn(
        { worker: slot.index },
        'connections that waited for this worker are lost: keeping them needs native calls',
      );
  }

  cleared(row: number): void {
    clearRow(this.#shared, row, this.#slots.length * 2);
  }

  /** The heap of a thread is nearly full: another one takes its place before it stands still. */
  #replaceFull(slot: WorkerSlot, thread: WorkerThread): void {
    if (slot.thread !== thread) return;
    this.#logger.warn({ worker: slot.index }, 'the heap of a worker is nearly full; another one takes its place');
    slot.replace().catch((error: unknown) => {
      this.#logger.error({ err: error, worker: slot.index }, 'the worker could not be replaced; it goes on');
    });
  }

  readonly #isInherited = ({ kind, address }: SocketName): boolean =>
    [...this.#given.flat(), ...this.sockets].some((record) => record.kind === kind && record.address === address);

  /** Sockets of a predecessor: kept by the slots where they can be duplicated, else given to the first threads. */
  #deal(): void {
    const { service, table } = this.#options;
    const names = service.socketNames ?? table.rest().filter((record) => record.service === this.name);
    const inherited = names.flatMap(({ kind, address }) => table.take(this.name, kind, address));
    this.#ownsPaths = inherited.length === 0;
    const hands = dealSockets(inherited, this.#slots.length, this.#sys);
    if (this.#sys === undefined) this.#given = hands;
    else for (const slot of this.#slots) slot.vault.own(hands[slot.index] ?? []);
  }

  async #startAll(): Promise<void> {
    const outcomes = await Promise.allSettled(this.#slots.map((slot) => slot.start()));
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  }

  /** Only the first thread binds a unix socket; the others get duplicates, where that can be done. */
  #shareUnixSockets(): void {
    const [first, ...others] = this.#slots;
    const sockets = first?.vault.sockets.filter(({ kind }) => kind === 'unix') ?? [];
    if (sockets.length === 0 || first?.thread === undefined) return;
    for (const other of others) {
      if (other.vault.sockets.every(({ kind }) => kind !== 'unix')) other.thread?.tell('adopt', { owner: -1, sockets });
    }
  }

  #mirror(): void {
    for (const [position, { replicated }] of this.#options.services.entries()) {
      if (!isReplicated(replicated)) continue;
      this.#stopMirrors.push(replicated.onChange((change) => this.#tellAll('apply', { position, change })));
    }
  }

  async #end(fast: AbortSignal): Promise<void> {
    const ended = Promise.all(this.#slots.map((slot) => slot.ended()));
    const asking = setInterval(() => void this.#countConnections(), COUNT_EVERY_MS);
    await Promise.race([ended, once(fast)]);
    clearInterval(asking);
    if (!fast.aborted) return;
    for (const slot of this.#slots) slot.cut();
    if (
      (await within(
        ended.then(() => true),
        CUT_MS,
      )) === undefined
    ) {
      await Promise.all(this.#slots.map((slot) => slot.terminate()));
    }
  }

  async #countConnections(): Promise<void> {
    const counts = await Promise.all(
      this.#threads().map((thread) => within(thread.call<number>('openConnections'), ANSWER_MS)),
    );
    this.#openConnections = counts.reduce<number>((sum, count) => sum + (count ?? 0), 0);
  }

  #threads(): readonly WorkerThread[] {
    return this.#slots.flatMap(({ thread }) => (thread === undefined ? [] : [thread]));
  }

  #tellAll(name: string, argument?: unknown): void {
    for (const thread of this.#threads()) thread.tell(name, argument);
  }

  async #callAll(name: string): Promise<void> {
    const outcomes = await Promise.allSettled(this.#threads().map((thread) => thread.call(name)));
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  }
}

/** How long threads that were told to drop everything may take, in milliseconds. */
const CUT_MS = 500;

function once(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

/** The value, or undefined when it is too late or has failed. */
async function within<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  const late = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => late.resolve(undefined), ms);
  try {
    return await Promise.race([promise.catch(() => undefined), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
