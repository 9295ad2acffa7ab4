/**
 * The members of a group in the thread that runs them: begun, left, asked and told as one.
 */
import { CirqueError } from '@cirque/error';
import type { ServerConfiguration } from '../server/server-conf.ts';
import type { SocketRecord } from '../sockets/socket-record.ts';
import { adoptAmong } from './group-contract.ts';
import { GroupMember } from './group-member.ts';
import type { GroupState } from './group-state.ts';
import type { Service, ServiceContext } from './service.ts';
import { mergeStats, type StatsTree } from './stats-tree.ts';
import type { ThreadPlace } from './thread-place.ts';

/** How long a member of a worker thread waits for the main thread, which adds it as well, in milliseconds. */
const TOLD_MS = 10_000;

/** What it works with. */
export interface RunningGroupParts {
  /** Of the group. */
  readonly context: ServiceContext;
  readonly state: GroupState;
  /** The members that are neither on their way nor on their way out. */
  services(): readonly Service[];
  /** False: it was removed while it began. */
  isWanted(service: Service): boolean;
}

/** See the file's head. */
export class RunningGroup {
  readonly #parts: RunningGroupParts;
  /** Those that run, begin, or finish what they have begun. */
  readonly #members: Map<Service, GroupMember> = new Map();
  /** What members have counted that are gone, by their names. */
  readonly #past: Map<string, StatsTree> = new Map();
  #configuration: ServerConfiguration;

  constructor(parts: RunningGroupParts) {
    this.#parts = parts;
    this.#configuration = parts.context.configuration;
  }

  has(service: Service): boolean {
    return this.#members.has(service);
  }

  /**
   * Starts a service. Resolves when it is ready.
   *
   * @param old whose sockets it goes on with.
   * @throws CirqueError when it cannot begin, or when, in a worker thread, the main thread does not add it; it is gone then,
   * and `old` has its sockets.
   */
  async begin(service: Service, old?: Service): Promise<void> {
    const { state } = this.#parts;
    try {
      const member = await this.#start(service, old);
      await member.ready;
      member.sockets.independent();
      await member.sockets.settled();
    } catch (error) {
      this.#members.delete(service);
      state.withdraw(service);
      state.leave(service);
      throw error;
    }
  }

  /** Stops a service. Resolves when it listens nowhere any more; what it has begun may finish. */
  async leave(service: Service, graceMs: number = this.#configuration.gracePeriodSeconds * 1_000): Promise<void> {
    const { state } = this.#parts;
    state.withdraw(service);
    state.leave(service);
    const member = this.#members.get(service);
    await member?.leave(graceMs);
    // One that had ended by itself was kept until now.
    void member?.ended.then(() => this.#ended(service));
  }

  /** Stops all of them. */
  async leaveAll(graceMs: number): Promise<void> {
    await Promise.all([...this.#members.values()].map((member) => member.leave(graceMs)));
  }

  /** Resolves when all have stopped. */
  async ended(): Promise<void> {
    await Promise.all([...this.#members.values()].map(({ ended }) => ended));
  }

  /** See `Service.adopt`. */
  adopt(owner: number, sockets: readonly SocketRecord[]): Promise<void> {
    return adoptAmong([...this.#members.values()], owner, sockets);
  }

  /** See `Service.release`. */
  release(owner: number): void {
    for (const { service, sockets } of this.#members.values()) {
      service.release?.(owner);
      sockets.release(owner);
    }
  }

  reconfigure(configuration: ServerConfiguration): void {
    this.#configuration = configuration;
    for (const service of this.#members.keys()) service.reconfigure?.(configuration);
  }

  /** By name; with what was counted by those that had the name before. */
  stats(): StatsTree {
    const trees = [...this.#members.keys()].flatMap((service) => {
      const stats = this.#isNamed(service) ? service.stats?.() : undefined;
      return stats === undefined ? [] : [{ [service.name]: stats }];
    });
    return mergeStats([...trees, Object.fromEntries(this.#past)]);
  }

  /** Also those of members that were removed. */
  get openConnections(): number {
    return [...this.#members.keys()].reduce((sum, { openConnections = 0 }) => sum + openConnections, 0);
  }

  async #start(service: Service, old: Service | undefined): Promise<GroupMember> {
    const { context, isWanted } = this.#parts;
    const lender = old === undefined ? undefined : this.#members.get(old);
    const thread = await this.#place(service);
    if (context.shutdown.aborted) throw new Error(`service ${service.name} comes too late: its group stops`);
    if (!isWanted(service)) throw new Error(`service ${service.name} was removed before it was ready`);
    const member = new GroupMember({ service, context, configuration: this.#configuration, lender, thread });
    this.#members.set(service, member);
    void member.ended.then(() => this.#ended(service));
    return member;
  }

  /** The thread as a member sees it, with the memory that it shares with its copies in other threads. */
  async #place(service: Service): Promise<ThreadPlace> {
    const { context, state, services } = this.#parts;
    const { thread, logger } = context;
    if (thread.count === 1) return { ...thread, shared: state.publish(service) };
    const shared = await state.join(service, thread, TOLD_MS);
    if (shared === undefined && !services().includes(service)) {
      throw CirqueError.internal(
        'InternalError',
        `service ${service.name} was not added on the main thread, which it must be as well where there are threads`,
      );
    }
    if (shared === undefined)
      logger.warn({ member: service.name }, 'the main thread does not know a service of the group: it runs for itself');
    return { ...thread, shared: shared ?? {} };
  }

  /** What it has counted remains as long as another one has its name. */
  #ended(service: Service): void {
    const { name } = service;
    if (this.#parts.services().includes(service)) return; // by itself; it can still be asked
    if (!this.#members.delete(service)) return;
    if (this.#isNamed(service)) this.#past.set(name, mergeStats([this.#past.get(name) ?? {}, service.stats?.() ?? {}]));
    else this.#past.delete(name);
  }

  #isNamed({ name }: Service): boolean {
    return this.#parts.services().some((one) => one.name === name);
  }
}
