/**
 * A gateway at work: the listeners and upstreams of a configuration, and how another configuration takes its place.
 *
 * The one of the main thread decides; those of worker threads are copies that are told (`Replicated` of @cirque/core). All
 * make their changes in the same order.
 */
import { type Logger, type Replicated, type ServerConfiguration, ServiceGroup, type StatsTree } from '@cirque/core';
import type { LoadBalancer } from '@cirque/load-balancing';
import type { GatewayConfig } from '../config/gateway-config.ts';
import type { UpstreamLookup } from '../upstreams/upstream-lookup.ts';
import type { GatewayChange } from './gateway-change.ts';
import { type GatewayListener, gatewayListener } from './listener.ts';
import { type ListenerPlan, listenerPlan } from './listener-plan.ts';
import { UpstreamTable } from './upstream-table.ts';

/** Where a gateway runs. */
export interface GatewayPlace {
  readonly logger: Logger;
  /** Settings of the server as they are now. */
  configuration(): ServerConfiguration;
}

/** See the file's head. */
export class Gateway implements Replicated<GatewayChange> {
  /** The name of the task in statistics. */
  readonly name: string = 'upstreams';
  /** The listeners, to be added to the server. */
  readonly listeners: ServiceGroup = new ServiceGroup('gateway');
  readonly #place: GatewayPlace;
  readonly #upstreams: UpstreamTable;
  readonly #told: Set<(change: GatewayChange) => void> = new Set();
  readonly #open: Map<string, GatewayListener> = new Map();
  #config: GatewayConfig | undefined;
  /** Changes are made one after the other. */
  #changing: Promise<void> = Promise.resolve();

  constructor(place: GatewayPlace) {
    this.#place = place;
    this.#upstreams = new UpstreamTable(
      () => place.logger,
      (name, change) => this.#tell({ kind: 'upstream', name, change }),
    );
  }

  /** The configuration that is in force. */
  get config(): GatewayConfig | undefined {
    return this.#config;
  }

  /** Finds an upstream. */
  get upstreams(): UpstreamTable {
    return this.#upstreams;
  }

  /**
   * Takes the first configuration, before the server runs.
   *
   * @throws TypeError or RangeError for what cannot be served.
   */
  begin(config: GatewayConfig): void {
    const prepared = this.#upstreams.prepare(config.upstreams);
    this.#upstreams.commit(prepared);
    this.#register(config, prepared.find);
  }

  /**
   * Takes another configuration over while it runs: what has not changed goes on, the rest is swapped. Open connections and
   * requests under way finish as they began.
   *
   * @throws what is wrong with it: an address that cannot be bound, say. Then nothing has changed.
   */
  change(config: GatewayConfig): Promise<void> {
    const done = this.#changing.then(() => this.#change(config));
    this.#changing = done.catch(() => {});
    return done;
  }

  /** Discoveries and health checks: the background task of the main thread. */
  start(signal: AbortSignal, ready: () => void): Promise<void> {
    return this.#upstreams.keepUp(signal, ready);
  }

  snapshot(): GatewayChange {
    if (this.#config === undefined) throw new Error('the gateway has no configuration yet');
    return { kind: 'config', config: this.#config, balancers: this.#upstreams.snapshots() };
  }

  /** In a worker thread: resolves when all of that is in place. */
  applied(): Promise<void> {
    return this.#upstreams.applied();
  }

  /** In a worker thread: does what the main thread has done. */
  apply(change: GatewayChange): void {
    if (change.kind === 'upstream') {
      this.#upstreams.apply(change.name, change.change);
      return;
    }
    const { balancers, config } = change;
    const prepared = this.#upstreams.prepare(config.upstreams);
    this.#upstreams.commit(prepared);
    for (const [name, state] of Object.entries(balancers)) this.#upstreams.apply(name, state);
    if (this.#config === undefined) {
      this.#register(config, prepared.find);
      return;
    }
    this.#config = config;
    // The plan is made when what came before is done: it is about the listeners that there are then.
    this.#changing = this.#changing
      .then(() => this.#carryOut(this.#plan(config, prepared.find)))
      .catch((error: unknown) => {
        this.#place.logger.error({ err: error }, 'a thread could not take over a configuration; its listeners go on');
      });
  }

  onChange(listener: (change: GatewayChange) => void): () => void {
    this.#told.add(listener);
    return () => void this.#told.delete(listener);
  }

  /** Counters of the upstreams by name. */
  stats(): StatsTree {
    return this.#perUpstream((balancer) => balancer.stats());
  }

  counters(): StatsTree {
    return this.#perUpstream((balancer) => balancer.counters());
  }

  async #change(config: GatewayConfig): Promise<void> {
    const prepared = this.#upstreams.prepare(config.upstreams);
    let plan: ListenerPlan;
    try {
      await this.#upstreams.warmUp(prepared);
      plan = this.#plan(config, prepared.find);
      const next = [...plan.added, ...plan.replaced.map(([, one]) => one)];
      for (const { service } of next) await this.listeners.probe(service);
      if (this.#upstreams.isOver) throw new Error('the server stops: it takes over nothing any more');
    } catch (error) {
      this.#upstreams.discard(prepared);
      throw error;
    }
    this.#upstreams.commit(prepared);
    this.#config = config;
    this.#tell(this.snapshot());
    await this.#carryOut(plan);
    this.#place.logger.info(factsOf(plan, prepared.fresh.length), 'gateway configuration in force');
  }

  /** The first listeners: they are opened when the server starts. */
  #register(config: GatewayConfig, upstreams: UpstreamLookup): void {
    const { added } = this.#plan(config, upstreams);
    this.#config = config;
    for (const next of added) {
      this.#open.set(next.name, next);
      void this.#attempt(next, () => this.listeners.add(next.service));
    }
  }

  #plan({ listeners }: GatewayConfig, upstreams: UpstreamLookup): ListenerPlan {
    const configuration = this.#place.configuration();
    return listenerPlan({
      open: [...this.#open.values()],
      configs: listeners,
      upstreams,
      make: (config, lookup) => gatewayListener(config, lookup, configuration),
    });
  }

  /** Never rejects: what cannot be opened is logged, and the others go on. */
  async #carryOut({ added, removed, replaced, swaps }: ListenerPlan): Promise<void> {
    for (const swap of swaps) swap();
    for (const old of removed) {
      this.#open.delete(old.name);
      await this.#attempt(old, () => this.listeners.remove(old.service));
    }
    for (const [old, next] of replaced) {
      const done = await this.#attempt(next, () => this.listeners.replace(old.service, next.service));
      if (!done) continue;
      this.#open.delete(old.name);
      this.#open.set(next.name, next);
    }
    for (const next of added) {
      const done = await this.#attempt(next, () => this.listeners.add(next.service));
      if (done) this.#open.set(next.name, next);
    }
  }

  /** False when the step has failed: the next configuration tries again. */
  async #attempt({ name }: GatewayListener, step: () => Promise<void>): Promise<boolean> {
    try {
      await step();
      return true;
    } catch (error) {
      this.#place.logger.error({ err: error, listener: name }, 'a listener could not be changed; the others go on');
      return false;
    }
  }

  #tell(change: GatewayChange): void {
    for (const listener of this.#told) listener(change);
  }

  #perUpstream(count: (balancer: LoadBalancer) => StatsTree): StatsTree {
    const entries = [...this.#upstreams.groups()].map(([name, group]) => [name, count(group.balancer)] as const);
    return Object.fromEntries(entries);
  }
}

function factsOf({ added, removed, replaced, swaps }: ListenerPlan, upstreams: number): Record<string, unknown> {
  const names = (listeners: readonly GatewayListener[]): string[] => listeners.map(({ name }) => name);
  return {
    kept: swaps.length,
    added: names(added),
    replaced: names(replaced.map(([, next]) => next)),
    removed: names(removed),
    newUpstreams: upstreams,
  };
}
