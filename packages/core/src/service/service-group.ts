/**
 * Services that are one to their server: they share its threads, and may come and go while it runs.
 *
 * Which services there are is decided here; how they run is running-group.ts, what they share over threads group-state.ts.
 */
import { setMaxListeners } from 'node:events';
import type { MessagePort } from 'node:worker_threads';
import { type Logger, silentLogger } from '../logger.ts';
import { checkThreads, type ServerConfiguration, serverConfiguration, type Threads } from '../server/server-conf.ts';
import type { SocketRecord } from '../sockets/socket-record.ts';
import { closeDescriptor } from '../sockets/socket-table.ts';
import { aborted } from './aborted.ts';
import {
  checkAll,
  checkMember,
  legacyOf,
  passOn,
  probe,
  receiveAmong,
  refuseAnyPort,
  refuseTwins,
  reloadAll,
  resolveAll,
  surrenderAll,
} from './group-contract.ts';
import { GroupState, type GroupStates } from './group-state.ts';
import type { Replicated } from './replicated.ts';
import { RunningGroup } from './running-group.ts';
import type { EndpointCheck, Legacy, Service, ServiceContext, SocketName } from './service.ts';
import type { StatsTree } from './stats-tree.ts';

/** Options of a group. */
export interface ServiceGroupOptions {
  /** How many worker threads run its members; `auto`: one for each processor. Default: as the configuration says. */
  readonly threads?: Threads;
}

/** How long members may go on when another one could not begin, in milliseconds. */
const FAILED_START_MS = 5_000;

/**
 * A service that consists of others.
 *
 * ```ts
 * const group = new ServiceGroup('gateway');
 * await group.add(web);
 * server.addService(group);
 * // while it runs:
 * await group.replace(web, nextWeb);
 * ```
 */
export class ServiceGroup implements Service {
  readonly name: string;
  readonly threads: Threads | 'configured';
  readonly #state: GroupState = new GroupState();
  /** In the order they were added. */
  #services: readonly Service[] = [];
  /** Those that begin while the group runs. */
  readonly #coming: Set<Service> = new Set();
  /** Those in whose places others begin. */
  readonly #replaced: Set<Service> = new Set();
  /** Set where the members run in this thread. */
  #running: RunningGroup | undefined;
  /** Set on the main thread where they run in others: whether one of these has the socket. */
  #isOpenElsewhere: ((name: SocketName) => boolean) | undefined;
  /** True from the moment the group is told to stop. */
  #stops = false;
  #configuration: ServerConfiguration | undefined;
  #logger: Logger = silentLogger;

  /** @throws TypeError or RangeError for a wrong name or number of threads. */
  constructor(name: string, { threads }: ServiceGroupOptions = {}) {
    if (typeof name !== 'string' || name === '') throw new TypeError('a service group needs a name that is not empty');
    if (threads !== undefined) checkThreads(`threads of group ${name}`, threads);
    this.name = name;
    this.threads = threads ?? 'configured';
  }

  /** The members, in the order they were added. */
  get services(): readonly Service[] {
    return this.#services;
  }

  /**
   * Adds a service. Before the group starts this only registers it, at once. Later it is started: resolves when it is ready.
   * With worker threads it is to be added in each of them and on the main thread, which tries its addresses, reads its
   * certificates, and then lets the others begin.
   *
   * @throws TypeError for what is no service, for one that was added before, and when its name is taken; Error when the group
   * stops; CirqueError when it cannot start. Nothing has changed then.
   */
  async add(service: Service): Promise<void> {
    this.#check(service, undefined);
    await this.#comes(service, undefined);
  }

  /**
   * Removes a service: it stops accepting at once, and what it has begun may finish within `grace_period_seconds`, in the
   * background. Resolves when it listens nowhere any more, in this thread.
   *
   * @throws Error when it is not in the group, or is being replaced.
   */
  async remove(service: Service): Promise<void> {
    if (!this.#coming.delete(service)) this.#checkPresent(service);
    this.#services = this.#services.filter((one) => one !== service);
    await this.#goes(service);
  }

  /**
   * Puts `next` in the place of `old`. On addresses that both have, of the same kind and with the same text, it goes on with
   * the same listening sockets: one of the two accepts at every moment. Such sockets stay as they were opened (`backlog`,
   * `ipv6Only`, `reusePort`, `mode`, and options of the socket that only `old` has set); everything else is that of `next`.
   * Resolves when `old` listens nowhere any more; what it has begun may finish, as with {@link remove}.
   *
   * @throws as {@link add} and {@link remove} do; `old` goes on then as if nothing had happened.
   */
  async replace(old: Service, next: Service): Promise<void> {
    this.#checkPresent(old);
    this.#check(next, old);
    this.#replaced.add(old);
    try {
      passOn(old, next);
      await this.#comes(next, old);
    } finally {
      this.#replaced.delete(old);
    }
    await this.#goes(old);
  }

  /**
   * Tries whether a service could be added, without changing anything: its addresses, but for those that the group has open,
   * and its certificates.
   *
   * @throws CirqueError of type BindError that says which address cannot be used, and why.
   */
  async probe(service: Service): Promise<void> {
    const names = this.#services.flatMap(({ socketNames }) => socketNames ?? []);
    const isOpen = ({ kind, address }: SocketName): boolean =>
      this.#isOpenElsewhere?.({ kind, address }) === true ||
      names.some((name) => name.kind === kind && name.address === address);
    const configuration = this.#configuration ?? serverConfiguration();
    await probe(service, isOpen, { logger: this.#logger, configuration });
  }

  /** Called by the server. Runs the members, and those that are added meanwhile, until `context.shutdown`. */
  async start(context: ServiceContext): Promise<void> {
    const { shutdown, fast, logger, thread, configuration } = context;
    setMaxListeners(0, shutdown, fast);
    shutdown.addEventListener('abort', () => this.#stop(), { once: true });
    if (shutdown.aborted) this.#stop();
    this.#logger = logger;
    this.#configuration = configuration;
    this.#state.rows = thread.rows;
    const running = new RunningGroup({
      context,
      state: this.#state,
      services: () => this.#services,
      isWanted: (service) => this.#coming.has(service) || this.#services.includes(service),
    });
    this.#running = running;
    try {
      await Promise.all(this.#services.map((service) => running.begin(service)));
      context.ready();
      await aborted(shutdown);
    } catch (error) {
      // Those that could begin have served until now: what they have accepted may finish, soon.
      this.#stop();
      await running.leaveAll(FAILED_START_MS);
      if (!shutdown.aborted) throw error;
    } finally {
      await running.ended();
    }
  }

  /** Called by the server for `--test`. */
  check(context: Pick<ServiceContext, 'logger' | 'configuration'>): Promise<readonly EndpointCheck[]> {
    return checkAll(this.#services, context);
  }

  /** Called by the server before threads are started. What members share is told to each thread with the rest of their state. */
  sharedMemory(rows: number): Readonly<Record<string, number>> {
    this.#state.rows = rows;
    return {};
  }

  clearRow(row: number): void {
    this.#state.clearRow(row);
  }

  /** Undefined where a member does not know its own: all that belong to the group may be. */
  get socketNames(): readonly SocketName[] | undefined {
    const names = this.#services.map(({ socketNames }) => socketNames);
    return names.includes(undefined) ? undefined : names.flatMap((own) => own ?? []);
  }

  /** Called on the main thread before members run in others. */
  async prepareThreads({ logger }: Pick<ServiceContext, 'logger'>): Promise<void> {
    this.#logger = logger;
    this.#isOpenElsewhere = () => false;
    for (const service of this.#services) {
      await service.prepareThreads?.({ logger });
      this.#state.publish(service);
    }
  }

  /** Called on the main thread after that. `isOpen` answers also later. */
  async resolveEndpoints(isOpen: (name: SocketName) => boolean): Promise<Readonly<Record<string, string>>> {
    this.#isOpenElsewhere = isOpen;
    return resolveAll(this.#services, isOpen);
  }

  async adopt(owner: number, sockets: readonly SocketRecord[]): Promise<void> {
    if (this.#running !== undefined && !this.#stops) await this.#running.adopt(owner, sockets);
    else for (const { fd } of sockets) closeDescriptor(fd);
  }

  release(owner: number): void {
    this.#running?.release(owner);
  }

  surrender(port: MessagePort | undefined): Promise<void> {
    return surrenderAll(this.#services, port);
  }

  receive(port: MessagePort): Promise<void> {
    return receiveAmong(() => this.#services, port);
  }

  /** For the threads of the group. */
  get replicated(): Replicated<GroupStates> {
    return this.#state;
  }

  get legacy(): Legacy | undefined {
    return legacyOf(this.#services);
  }

  get hasCertificates(): boolean {
    return this.#services.some(({ hasCertificates }) => hasCertificates === true);
  }

  /** Of all members; rejects with the first error, after all have tried. */
  reloadCertificates(): Promise<void> {
    return reloadAll(this.#services);
  }

  reconfigure(configuration: ServerConfiguration): void {
    this.#configuration = configuration;
    this.#running?.reconfigure(configuration);
  }

  /** By name of the members; of one that was replaced, also what came before. */
  stats(): StatsTree {
    return this.#running?.stats() ?? {};
  }

  /** Those of members that were removed count, too. */
  get openConnections(): number {
    return this.#running?.openConnections ?? 0;
  }

  /** Does with a service what there is to do at this time; it is a member then. */
  async #comes(service: Service, old: Service | undefined): Promise<void> {
    if (this.#running === undefined && this.#isOpenElsewhere === undefined) {
      this.#put(service, old);
      return;
    }
    this.#coming.add(service);
    try {
      if (this.#running === undefined) await this.#register(service, old);
      else await this.#running.begin(service, old);
      if (!this.#coming.has(service)) throw new Error(`service ${service.name} was removed before it was ready`);
      if (this.#running === undefined) this.#state.publish(service);
      this.#put(service, old);
    } finally {
      this.#coming.delete(service);
    }
  }

  /** On the main thread, while members run in others: finds out whether it can. */
  async #register(service: Service, old: Service | undefined): Promise<void> {
    refuseTwins([...this.#services, ...this.#coming].filter((one) => one !== old));
    refuseAnyPort(service, old);
    await this.probe(service);
    await service.prepareThreads?.({ logger: this.#logger });
  }

  async #goes(service: Service): Promise<void> {
    if (this.#running === undefined) this.#state.withdraw(service);
    else await this.#running.leave(service);
  }

  #put(service: Service, old: Service | undefined): void {
    this.#services =
      old === undefined ? [...this.#services, service] : this.#services.map((one) => (one === old ? service : one));
  }

  #stop(): void {
    this.#stops = true;
  }

  #checkPresent(service: Service): void {
    const { name } = service;
    if (!this.#services.includes(service)) throw new Error(`service ${name} is not in group ${this.name}`);
    if (this.#replaced.has(service)) throw new Error(`service ${name} of group ${this.name} is being replaced`);
  }

  #check(service: Service, old: Service | undefined): void {
    checkMember(this.name, service);
    if (this.#stops) throw new Error(`service ${service.name} comes too late: group ${this.name} stops`);
    const others = [...this.#services, ...this.#coming];
    if (others.includes(service) || this.#running?.has(service) === true)
      throw new TypeError(`service ${service.name} was added to group ${this.name} already; make a new one`);
    if (others.some((one) => one !== old && one.name === service.name))
      throw new TypeError(
        `group ${this.name} has a service ${service.name} already; replace it, or choose another name`,
      );
  }
}
