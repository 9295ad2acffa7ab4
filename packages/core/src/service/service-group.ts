/**
 * Services that are one to their server: they share its threads, and may come and go while it runs.
 *
 * How one of them runs is group-member.ts, what they share over threads group-state.ts, and how their parts of the service
 * contract become one group-contract.ts.
 */
import { setMaxListeners } from 'node:events';
import type { MessagePort } from 'node:worker_threads';
import { CirqueError } from '@cirque/error';
import { type Logger, silentLogger } from '../logger.ts';
import { checkThreads, type ServerConfiguration, serverConfiguration, type Threads } from '../server/server-conf.ts';
import type { SocketRecord } from '../sockets/socket-record.ts';
import { aborted } from './aborted.ts';
import { adoptAmong, legacyOf, probe, receiveAmong, refuseTwins, surrenderAll } from './group-contract.ts';
import { GroupMember } from './group-member.ts';
import { GroupState, type GroupStates } from './group-state.ts';
import type { Replicated } from './replicated.ts';
import type { EndpointCheck, Legacy, Service, ServiceContext, SocketName } from './service.ts';
import { mergeStats, type StatsTree } from './stats-tree.ts';

/** Options of a group. */
export interface ServiceGroupOptions {
  /** How many worker threads run its members; `auto`: one for each processor. Default: as the configuration says. */
  readonly threads?: Threads;
}

/** How long members may go on when another one could not begin, in milliseconds. */
const FAILED_START_MS = 5_000;

/** How long a member of a worker thread waits for the main thread, which adds it as well, in milliseconds. */
const TOLD_MS = 10_000;

/** Where the members run. */
type Stage =
  /** Nowhere yet. */
  | 'set up'
  /** In worker threads; this is the main thread, which only knows of them. */
  | 'elsewhere'
  | 'running'
  | 'over';

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
  readonly #state = new GroupState();
  #stage: Stage = 'set up';
  /** In the order they were added. */
  #services: Service[] = [];
  /** Those that run, begin, or finish what they have begun. */
  readonly #members: Map<Service, GroupMember> = new Map();
  /** Those that begin while the group runs. */
  readonly #coming: Set<Service> = new Set();
  /** Those in whose places others begin. */
  readonly #replaced: Set<Service> = new Set();
  /** What members have counted that are gone, by their names. */
  readonly #past: Map<string, StatsTree> = new Map();
  #isOpen: (name: SocketName) => boolean = () => false;
  #context: ServiceContext | undefined;
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
    return [...this.#services];
  }

  /**
   * Adds a service. Before the group starts this only registers it, at once. Later it is started: resolves when it is ready.
   * With worker threads it is added in each of them, and on the main thread, which tries its addresses, reads its certificates,
   * and then lets the others begin with it.
   *
   * @throws TypeError for what is no service, or is in the group; Error when its name is taken, and when the group stops;
   * CirqueError when it cannot start. Nothing has changed then.
   */
  async add(service: Service): Promise<void> {
    this.#check(service, undefined);
    if (this.#stage === 'running') await this.#start(service, undefined);
    else if (this.#stage === 'elsewhere') await this.#register(service, undefined);
    else this.#services.push(service);
  }

  /**
   * Removes a service: it stops accepting at once, and what it has begun may finish within `grace_period_seconds`, in the
   * background. Resolves when it listens nowhere any more, in this thread.
   *
   * @throws Error when it is not in the group.
   */
  async remove(service: Service): Promise<void> {
    if (!this.#coming.has(service)) this.#checkPresent(service);
    const member = this.#members.get(service);
    this.#services = this.#services.filter((one) => one !== service);
    this.#coming.delete(service);
    this.#forget(service);
    if (member !== undefined) await this.#leave(member);
  }

  /**
   * Puts `next` in the place of `old`. On addresses that both have, of the same kind and with the same text, it goes on with the
   * same listening sockets: there is always one of the two that accepts. Such sockets stay as they were opened (`backlog`,
   * `ipv6Only`, `reusePort`, `mode`); everything else is that of `next`. Resolves when `old` listens nowhere any more; what it has begun may
   * finish, as with {@link remove}.
   *
   * @throws as {@link add} and {@link remove} do; `old` goes on then as if nothing had happened.
   */
  async replace(old: Service, next: Service): Promise<void> {
    this.#checkPresent(old);
    this.#check(next, old);
    this.#replaced.add(old);
    try {
      if (this.#stage === 'running') await this.#start(next, old);
      else if (this.#stage === 'elsewhere') await this.#register(next, old);
      else this.#put(next, old);
    } finally {
      this.#replaced.delete(old);
    }
    this.#forget(old);
    const member = this.#members.get(old);
    if (member !== undefined) await this.#leave(member);
  }

  /**
   * Tries whether a service could be added, without changing anything: its addresses, but for those that the group has open,
   * and its certificates.
   *
   * @throws CirqueError of type BindError that says which address cannot be used, and why.
   */
  async probe(service: Service): Promise<void> {
    const configuration = this.#configuration ?? serverConfiguration();
    const names = this.#services.flatMap(({ socketNames }) => socketNames ?? []);
    const isOpen = ({ kind, address }: SocketName): boolean =>
      this.#isOpen({ kind, address }) || names.some((name) => name.kind === kind && name.address === address);
    await probe(service, isOpen, { logger: this.#logger, configuration });
  }

  /** Called by the server. Runs the members, and those that are added meanwhile, until `context.shutdown`. */
  async start(context: ServiceContext): Promise<void> {
    const { shutdown, logger, configuration, thread } = context;
    setMaxListeners(0, shutdown, context.fast);
    this.#context = context;
    this.#logger = logger;
    this.#configuration = configuration;
    this.#state.rows = thread.rows;
    this.#stage = 'running';
    try {
      await Promise.all(this.services.map((service) => this.#begin(service, undefined)));
      context.ready();
      await aborted(shutdown);
    } catch (error) {
      // Those that could begin have served until now: what they have accepted may finish, soon.
      await Promise.all([...this.#members.values()].map((member) => member.leave(FAILED_START_MS)));
      throw error;
    } finally {
      await Promise.all([...this.#members.values()].map(({ ended }) => ended));
      this.#stage = 'over';
    }
  }

  /** Called by the server for `--test`. */
  async check(context: Pick<ServiceContext, 'logger' | 'configuration'>): Promise<readonly EndpointCheck[]> {
    const checks: EndpointCheck[] = [];
    for (const service of this.#services) checks.push(...((await service.check?.(context)) ?? []));
    return checks;
  }

  /** Called by the server before threads are started. What members need is theirs only, and told with the rest of their state. */
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

  async resolveEndpoints(isOpen: (name: SocketName) => boolean): Promise<Readonly<Record<string, string>>> {
    this.#isOpen = isOpen;
    refuseTwins(this.#services);
    const resolved: Record<string, string> = {};
    for (const service of this.#services) Object.assign(resolved, await service.resolveEndpoints?.(isOpen));
    return resolved;
  }

  /** Called on the main thread before members run in others. */
  async prepareThreads({ logger }: Pick<ServiceContext, 'logger'>): Promise<void> {
    this.#logger = logger;
    this.#stage = 'elsewhere';
    for (const service of this.#services) {
      await service.prepareThreads?.({ logger });
      this.#state.publish(service);
    }
  }

  adopt(owner: number, sockets: readonly SocketRecord[]): Promise<void> {
    return adoptAmong([...this.#members.values()], owner, sockets);
  }

  release(owner: number): void {
    for (const { service, sockets } of this.#members.values()) {
      service.release?.(owner);
      sockets.release(owner);
    }
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
  async reloadCertificates(): Promise<void> {
    const owners = this.#services.filter(({ hasCertificates }) => hasCertificates === true);
    const outcomes = await Promise.allSettled(owners.map((service) => service.reloadCertificates?.()));
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  }

  reconfigure(configuration: ServerConfiguration): void {
    this.#configuration = configuration;
    const running = this.#members.size > 0 ? this.#members.keys() : this.#services;
    for (const service of running) service.reconfigure?.(configuration);
  }

  /** By name of the members; of one that was replaced, also what came before. */
  stats(): StatsTree {
    const names = new Set(this.#services.map(({ name }) => name));
    const running = this.#members.size > 0 ? [...this.#members.keys()] : this.#services;
    const trees = running.flatMap((service) => {
      const stats = service.stats?.();
      return stats === undefined || !names.has(service.name) ? [] : [{ [service.name]: stats }];
    });
    return mergeStats([...trees, Object.fromEntries(this.#past)]);
  }

  /** Those of members that were removed count, too. */
  get openConnections(): number {
    return [...this.#members.keys()].reduce((sum, { openConnections = 0 }) => sum + openConnections, 0);
  }

  /** Starts a service while the group runs. */
  async #start(service: Service, old: Service | undefined): Promise<void> {
    this.#coming.add(service);
    try {
      await this.#begin(service, old);
      if (!this.#coming.has(service)) throw new Error(`service ${service.name} was removed before it was ready`);
      this.#put(service, old);
    } finally {
      this.#coming.delete(service);
    }
  }

  /** Resolves when it is ready; else it is gone, and `old` has its sockets. */
  async #begin(service: Service, old: Service | undefined): Promise<void> {
    const context = this.#context;
    const configuration = this.#configuration;
    if (context === undefined || configuration === undefined) throw new Error(`group ${this.name} does not run`);
    const lender = old === undefined ? undefined : this.#members.get(old);
    if (old !== undefined) passOn(old, service);
    const { thread } = context;
    const shared = thread.count === 1 ? this.#state.publish(service) : await this.#join(service, context);
    if (context.shutdown.aborted) throw this.#tooLate(service);
    const member = new GroupMember({ service, context, configuration, lender, thread: { ...thread, shared } });
    this.#members.set(service, member);
    void member.ended.then(() => this.#ended(member));
    try {
      await member.ready;
      member.sockets.independent();
      await member.sockets.settled();
    } catch (error) {
      this.#members.delete(service);
      this.#forget(service);
      throw error;
    }
  }

  /** In a worker thread: what the member shares with its copies. */
  async #join(
    service: Service,
    { thread, logger }: ServiceContext,
  ): Promise<Readonly<Record<string, SharedArrayBuffer>>> {
    const memory = await this.#state.join(service, thread, TOLD_MS);
    if (memory !== undefined) return memory;
    if (this.#coming.has(service)) {
      this.#forget(service);
      throw CirqueError.internal(
        'InternalError',
        `service ${service.name} was not added to group ${this.name} on the main thread: with threads it must be, too`,
      );
    }
    logger.warn({ member: service.name }, 'a service of the group is not known to the main thread: it runs for itself');
    return {};
  }

  /** On the main thread, while members run in others. */
  async #register(service: Service, old: Service | undefined): Promise<void> {
    this.#coming.add(service);
    try {
      const others = this.#services.filter((one) => one !== old);
      refuseTwins([...others, service]);
      refuseAnyPort(service, old);
      if (old !== undefined) passOn(old, service);
      await this.probe(service);
      await service.prepareThreads?.({ logger: this.#logger });
      if (!this.#coming.has(service)) throw new Error(`service ${service.name} was removed before it was added`);
      this.#state.publish(service);
      this.#put(service, old);
    } finally {
      this.#coming.delete(service);
    }
  }

  #put(service: Service, old: Service | undefined): void {
    this.#services =
      old === undefined ? [...this.#services, service] : this.#services.map((one) => (one === old ? service : one));
  }

  async #leave(member: GroupMember): Promise<void> {
    const { gracePeriodSeconds } = this.#configuration ?? serverConfiguration();
    await member.leave(gracePeriodSeconds * 1_000);
  }

  #forget(service: Service): void {
    this.#state.withdraw(service);
    this.#state.leave(service);
  }

  /** A member has stopped: what it has counted remains as long as one with its name is there. */
  #ended({ service }: GroupMember): void {
    const { name } = service;
    if (!this.#services.includes(service)) this.#members.delete(service);
    const isNamed = this.#services.some((one) => one !== service && one.name === name);
    if (!this.#services.some((one) => one.name === name)) this.#past.delete(name);
    else if (isNamed) this.#past.set(name, mergeStats([this.#past.get(name) ?? {}, service.stats?.() ?? {}]));
  }

  #checkPresent(service: Service): void {
    if (!this.#services.includes(service)) throw new Error(`service ${service.name} is not in group ${this.name}`);
    if (this.#replaced.has(service)) throw new Error(`service ${service.name} is being replaced`);
  }

  #tooLate({ name }: Service): Error {
    return new Error(`group ${this.name} stops; service ${name} comes too late`);
  }

  #check(service: Service, old: Service | undefined): void {
    if (typeof service?.name !== 'string' || typeof service.start !== 'function')
      throw new TypeError('a member of a group needs a name and a start() function');
    if (this.#stage === 'over' || this.#context?.shutdown.aborted === true) throw this.#tooLate(service);
    const others = [...this.#services, ...this.#coming].filter((one) => one !== old);
    if (service === old || others.includes(service) || this.#members.has(service))
      throw new TypeError(`service ${service.name} is in group ${this.name} already, or was; make a new one`);
    if (others.some(({ name }) => name === service.name))
      throw new TypeError(`group ${this.name} has a service ${service.name} already; names must differ, or replace it`);
  }
}

/** Session tickets go on with a service that has the same TLS settings. */
function passOn(old: Service, next: Service): void {
  const key = old.replicated?.key;
  if (key === undefined || next.replicated?.key !== key || old.legacy === undefined) return;
  next.legacy?.apply(old.legacy.snapshot());
}

/** The system would choose another port in each thread. */
function refuseAnyPort(service: Service, old: Service | undefined): void {
  const known = old?.socketNames ?? [];
  const isKnown = (name: SocketName): boolean =>
    known.some(({ kind, address }) => kind === name.kind && address === name.address);
  const any = service.socketNames?.find(
    (name) => name.kind !== 'unix' && name.address.endsWith(':0') && !isKnown(name),
  );
  if (any !== undefined)
    throw CirqueError.internal(
      'BindError',
      `service ${service.name} cannot listen on ${any.address} while threads run: choose a port, which is the same for all of them`,
    );
}
