/**
 * All sessions of a service in one thread: begun, bounded in number, ended when they are idle, told of.
 */
import type { RemoteInfo } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { clientKey, type Logger, type StatsTree, ThrottledLog } from '@cirque/core';
import { CirqueError } from '@cirque/error';
import { Resolver } from '@cirque/pool';
import { type Clock, systemClock, type TimerWheel } from '@cirque/timeout';
import { isThenable } from '../phase-hooks.ts';
import type { ResolvedUdpOptions } from '../udp-options.ts';
import type { UdpCloseReason } from '../udp-session.ts';
import type { LocalEnd } from './connected-socket.ts';
import type { QueueBudget } from './datagram-queue.ts';
import { Flow } from './flow.ts';
import { plainAddress } from './flow-facts.ts';
import type { FlowHost } from './flow-host.ts';
import { IdleList } from './idle-list.ts';
import type { SocketPlan } from './socket-plan.ts';
import { UdpCounters, type UdpDropReason } from './udp-counters.ts';
import { sessionClosed, sessionOpened } from './udp-events.ts';
import type { UdpHooks } from './udp-hooks.ts';
import type { UdpListener } from './udp-listener.ts';

/** What the sessions of a service have in common. */
export interface FlowsParts<Ctx> {
  readonly service: string;
  readonly options: ResolvedUdpOptions;
  readonly hooks: UdpHooks<Ctx>;
  readonly plan: SocketPlan;
  readonly logger: Logger;
  readonly resolver?: Resolver | undefined;
  readonly clock?: Clock | undefined;
  readonly wheel?: TimerWheel | undefined;
}

/** An IPv6 network of 64 bits is what one customer gets. */
const CLIENT_PREFIX = { v4: 32, v6: 64 } as const;

/** So many sessions get sockets of their own, or end, before the loop goes on. */
const AT_ONCE = 256;

/** Errors of the system for which trying again does not help: rights, above all. */
const LASTING: readonly (string | undefined)[] = ['EACCES', 'EPERM', 'EADDRINUSE', 'EADDRNOTAVAIL', 'EAFNOSUPPORT'];

/** See the file's head. */
export class Flows<Ctx> implements FlowHost<Ctx> {
  readonly options: ResolvedUdpOptions;
  readonly hooks: UdpHooks<Ctx>;
  readonly counters: UdpCounters = new UdpCounters();
  readonly budget: QueueBudget;
  readonly resolver: Resolver;
  readonly clock: Clock;
  readonly wheel: TimerWheel | undefined;
  readonly ownSocketFrom: number;
  readonly #parts: FlowsParts<Ctx>;
  readonly #idle: IdleList<Flow<Ctx>>;
  readonly #listenerOf: Map<Flow<Ctx>, UdpListener<Ctx>> = new Map();
  readonly #perClient: Map<string, number> = new Map();
  // One datagram is enough for a line, and nobody knows who has sent it.
  readonly #failures: ThrottledLog;
  readonly #errors: ThrottledLog;
  #ownSocketsWork: boolean;
  #sources = 0;
  #isFinished = false;
  #empty: PromiseWithResolvers<void> | undefined;

  constructor(parts: FlowsParts<Ctx>) {
    const { options, hooks, plan, logger, resolver = new Resolver(), clock = systemClock, wheel } = parts;
    this.#parts = parts;
    this.options = options;
    this.hooks = hooks;
    this.budget = { maxBytes: options.maxTotalQueuedBytes, usedBytes: 0 };
    this.resolver = resolver;
    this.clock = clock;
    this.wheel = wheel;
    this.#failures = new ThrottledLog(logger, clock);
    this.#errors = new ThrottledLog(logger, clock);
    this.ownSocketFrom = plan.ownSocketFrom;
    this.#ownSocketsWork = plan.ownSockets;
    const onIdle = (flow: Flow<Ctx>): void => flow.finish('idle');
    this.#idle = new IdleList({ idleTimeoutMs: options.idleTimeoutMs, onIdle, clock, wheel });
  }

  /** Sessions that are open. */
  get size(): number {
    return this.#listenerOf.size;
  }

  stats(): StatsTree {
    return this.counters.stats(this.size, this.budget.usedBytes);
  }

  /** A session for a client that has none, unless it has too many; {@link begin} comes next. */
  newFlow(listener: UdpListener<Ctx>, client: RemoteInfo): Flow<Ctx> | undefined {
    if (this.#isFinished) return this.refuse('stopping');
    if (!this.#count(client)) return this.refuse('perClient');
    if (this.size >= this.#parts.plan.maxSessions) this.#idle.oldest?.finish('evicted');
    const flow = new Flow(this, listener, client);
    this.#listenerOf.set(flow, listener);
    this.#idle.add(flow);
    return flow;
  }

  /** With the datagram that it was made for. */
  begin(flow: Flow<Ctx>, bytes: Buffer): void {
    flow.begin();
    flow.fromClient(bytes);
  }

  /** Drops a datagram. */
  refuse(reason: UdpDropReason): undefined {
    this.counters.dropped[reason] += 1;
  }

  touched(flow: Flow<Ctx>): void {
    this.#idle.touch(flow);
  }

  opened(flow: Flow<Ctx>): void {
    this.counters.opened += 1;
    sessionOpened(this.#parts.service, flow);
  }

  ended(flow: Flow<Ctx>): void {
    const listener = this.#listenerOf.get(flow);
    if (listener === undefined) return;
    this.#listenerOf.delete(flow);
    listener.forget(flow.client);
    this.#uncount(flow.client);
    this.#idle.remove(flow);
    if (this.size === 0) this.#empty?.resolve();
  }

  told(flow: Flow<Ctx>, error: CirqueError | undefined, ctx: Ctx | undefined): void {
    const { service, logger } = this.#parts;
    this.counters.closed[flow.reason as UdpCloseReason] += 1;
    sessionClosed(service, flow, error);
    if (error !== undefined) {
      const { id, clientAddress, upstream } = flow;
      const facts = { err: error, session: id, clientAddress, upstream };
      if (error.source === 'Internal') this.#errors.error(facts, 'UDP session failed');
      else this.#failures.warn(facts, 'UDP session failed');
    }
    const failed = (thrown: unknown): void =>
      logger.error({ err: CirqueError.from(thrown, 'InternalError', 'Internal') }, 'the logging phase failed');
    try {
      const answer = this.hooks.logging?.(flow, error, ctx as Ctx);
      if (isThenable(answer)) Promise.resolve(answer).catch(failed);
    } catch (thrown) {
      failed(thrown);
    }
  }

  mayOwnSocket(): boolean {
    const { maxSockets } = this.#parts.plan;
    return this.#ownSocketsWork && this.size + this.counters.ownSockets < maxSockets;
  }

  ownSocketFailed(error: NodeJS.ErrnoException): void {
    this.counters.ownSocketsFailed += 1;
    if (!this.#ownSocketsWork || !LASTING.includes(error.code)) return;
    this.#ownSocketsWork = false;
    this.#parts.logger.warn(
      { err: error },
      'clients get no sockets of their own: a restart of threads, or an upgrade, moves their sessions',
    );
  }

  makeRoom(flow: Flow<Ctx>): boolean {
    let oldest = this.#idle.oldest;
    if (oldest === flow) oldest = flow.newer;
    oldest?.finish('evicted');
    return oldest !== undefined;
  }

  sourceFor(upstream: string): LocalEnd | undefined {
    const { clientBindToIpv4, clientBindToIpv6 } = this.options;
    const sources = isIPv6(upstream) ? clientBindToIpv6 : clientBindToIpv4;
    if (sources.length === 0) return undefined;
    this.#sources = (this.#sources + 1) % sources.length;
    return { host: sources[this.#sources] as string, port: 0, reusePort: false };
  }

  /**
   * Gives every session a socket of its own, where that is possible. Those that have begun meanwhile get theirs last, in the turn
   * in which it resolves, however many there are: else new ones might keep it from its end.
   */
  async ownSockets(): Promise<void> {
    const all = this.#withoutSocket();
    for (let at = 0; at < all.length; at += AT_ONCE) {
      for (const flow of all.slice(at, at + AT_ONCE)) flow.ownSocket();
      await turn();
    }
    for (const flow of this.#withoutSocket()) flow.ownSocket();
  }

  /** True while there are sessions that need the socket on which all clients are received. */
  get hasDependents(): boolean {
    return this.#withoutSocket().length > 0;
  }

  /** Ends the sessions that nothing can come in for any more. */
  finishDependents(): void {
    for (const flow of this.#withoutSocket()) flow.finish('shutdown');
  }

  /** Resolves when no session is open, and no socket has a datagram left that would begin one. */
  async empty(): Promise<void> {
    while (this.size > 0) {
      this.#empty = Promise.withResolvers<void>();
      await this.#empty.promise;
      await turn();
      await turn();
    }
  }

  /** Ends all sessions; there will be no others. */
  finishAll(reason: UdpCloseReason): void {
    this.#isFinished = true;
    for (const flow of [...this.#listenerOf.keys()]) flow.finish(reason);
    this.#idle.close();
  }

  #withoutSocket(): readonly Flow<Ctx>[] {
    return [...this.#listenerOf.keys()].filter(({ hasOwnSocket }) => !hasOwnSocket);
  }

  #count({ address }: RemoteInfo): boolean {
    const { maxSessionsPerClient } = this.options;
    if (maxSessionsPerClient === 0) return true;
    const key = clientKey(plainAddress(address), CLIENT_PREFIX);
    const count = this.#perClient.get(key) ?? 0;
    if (count >= maxSessionsPerClient) return false;
    this.#perClient.set(key, count + 1);
    return true;
  }

  #uncount({ address }: RemoteInfo): void {
    if (this.options.maxSessionsPerClient === 0) return;
    const key = clientKey(plainAddress(address), CLIENT_PREFIX);
    const count = this.#perClient.get(key) ?? 0;
    if (count > 1) this.#perClient.set(key, count - 1);
    else this.#perClient.delete(key);
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
