/**
 * The upstreams of a gateway by name, and their upkeep: discoveries and health checks, which run on the main thread only.
 */

import type { Logger } from '@cirque/core';
import type { BackendsChange, BalancerChange } from '@cirque/load-balancing';
import type { UpstreamConfig } from '../config/gateway-config.ts';
import { certificatesDigest } from '../upstreams/peer-options.ts';
import { UpstreamGroup } from '../upstreams/upstream-group.ts';
import type { UpstreamLookup } from '../upstreams/upstream-lookup.ts';

/** How long a new upstream may take for its first discovery and checks before traffic goes to it all the same. */
const FIRST_ROUND_MS = 5_000;

/** One upstream with what it was made of. */
interface Entry {
  readonly text: string;
  /** Those that the configuration names, as they were. */
  readonly certificates: string;
  readonly group: UpstreamGroup;
  /** Ends the upkeep. */
  readonly stop: AbortController;
  unsubscribe: () => void;
}

/** Upstreams that are ready to take the place of others; nothing uses them yet. */
export interface PreparedUpstreams {
  readonly entries: ReadonlyMap<string, Entry>;
  /** Those that were made for it, to be ended when it comes to nothing. */
  readonly fresh: readonly Entry[];
  /** Finds them, also before they have taken their place: routes of one configuration are those of its upstreams. */
  readonly find: UpstreamLookup;
}

/** See the file's head. */
export class UpstreamTable {
  readonly #logger: () => Logger;
  readonly #tell: (name: string, change: BalancerChange) => void;
  #entries: ReadonlyMap<string, Entry> = new Map();
  /** Set while the upkeep runs here. */
  #upkeep: AbortSignal | undefined;

  /** @param tell is told of each change of a balancer that is in use. */
  constructor(logger: () => Logger, tell: (name: string, change: BalancerChange) => void) {
    this.#logger = logger;
    this.#tell = tell;
  }

  /** The group in use with this name. @throws Error where there is none. */
  find(name: string): UpstreamGroup {
    return groupIn(this.#entries, name);
  }

  /** All groups by name. */
  groups(): ReadonlyMap<string, UpstreamGroup> {
    return new Map([...this.#entries].map(([name, { group }]) => [name, group]));
  }

  /**
   * Makes groups for what is new or has changed; what has not changed stays the object it is.
   *
   * @throws TypeError or RangeError for one that cannot be made; nothing is left of the others then.
   */
  prepare(configs: Readonly<Record<string, UpstreamConfig>>): PreparedUpstreams {
    const entries = new Map<string, Entry>();
    const fresh: Entry[] = [];
    try {
      for (const [name, config] of Object.entries(configs)) {
        const known = this.#entries.get(name);
        const entry = known !== undefined && this.#isSame(known, config) ? known : this.#make(config);
        if (entry !== known) fresh.push(entry);
        entries.set(name, entry);
      }
    } catch (error) {
      for (const entry of fresh) this.#end(entry);
      throw error;
    }
    return { entries, fresh, find: (name) => groupIn(entries, name) };
  }

  /**
   * Starts the upkeep of new groups and waits for their first round, so that nobody is sent to a server that is known to be
   * dead. One that takes too long is used as it is.
   */
  async warmUp({ fresh }: PreparedUpstreams): Promise<void> {
    const upkeep = this.#upkeep;
    if (upkeep !== undefined) await Promise.all(fresh.map((entry) => this.#start(entry, upkeep)));
  }

  /** True from the moment the upkeep was told to stop: nothing new begins then. */
  get isOver(): boolean {
    return this.#upkeep?.aborted === true;
  }

  /** Ends what {@link prepare} has made in vain. */
  discard({ fresh }: PreparedUpstreams): void {
    for (const entry of fresh) this.#end(entry);
  }

  /** Takes the place of what was there. */
  commit({ entries }: PreparedUpstreams): void {
    const before = this.#entries;
    this.#entries = entries;
    for (const [name, entry] of entries) {
      const old = before.get(name);
      if (old === entry) continue;
      if (old !== undefined) keepStates(old.group, entry.group);
      entry.unsubscribe = entry.group.balancer.onChange((change) => this.#tell(name, change));
    }
    const kept = new Set(entries.values());
    for (const entry of before.values()) if (!kept.has(entry)) this.#end(entry);
  }

  /** Discovers and checks until the signal aborts. `ready` is called after the first round of all. */
  async keepUp(signal: AbortSignal, ready: () => void): Promise<void> {
    this.#upkeep = signal;
    await Promise.all([...this.#entries.values()].map((entry) => this.#start(entry, signal)));
    ready();
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  /** The states of all balancers, for copies in other threads. */
  snapshots(): Record<string, BackendsChange> {
    const states: Record<string, BackendsChange> = {};
    for (const [name, { group }] of this.#entries) states[name] = group.balancer.snapshot();
    return states;
  }

  /** Takes over what another thread has found. What is not here any more has no use for it. */
  apply(name: string, change: BalancerChange): void {
    this.#entries.get(name)?.group.balancer.apply(change);
  }

  /** Resolves when all that `apply` was given is in place: long lists take their time. */
  async applied(): Promise<void> {
    for (const { group } of this.#entries.values()) await group.balancer.applied();
  }

  /** Ends everything. */
  close(): void {
    for (const entry of this.#entries.values()) this.#end(entry);
    this.#entries = new Map();
  }

  #make(config: UpstreamConfig): Entry {
    const certificates = certificatesDigest(config);
    const group = new UpstreamGroup(config, { logger: this.#logger() });
    return { text: JSON.stringify(config), certificates, group, stop: new AbortController(), unsubscribe: () => {} };
  }

  /** Made of the same. Certificates that this user may not read again stay in use, as those of listeners do. */
  #isSame({ certificates, text }: Entry, config: UpstreamConfig): boolean {
    if (text !== JSON.stringify(config)) return false;
    try {
      return certificates === certificatesDigest(config);
    } catch (error) {
      const facts = { err: error, upstream: config.name };
      this.#logger().warn(facts, 'certificates of an upstream could not be read; the old ones stay');
      return true;
    }
  }

  /** Resolves after the first round, when that has taken too long, or when the upkeep ends, with which this one ends, too. */
  #start({ group, stop }: Entry, upkeep: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, FIRST_ROUND_MS);
      const first = (): void => {
        clearTimeout(timer);
        resolve();
      };
      group.balancer.start(AbortSignal.any([stop.signal, upkeep]), first).then(first, (error: unknown) => {
        this.#logger().error({ err: error, upstream: group.config.name }, 'the upkeep of an upstream failed');
        first();
      });
    });
  }

  #end({ group, stop, unsubscribe }: Entry): void {
    stop.abort();
    unsubscribe();
    group.dispose();
  }
}

function groupIn(entries: ReadonlyMap<string, Entry>, name: string): UpstreamGroup {
  const group = entries.get(name)?.group;
  if (group === undefined) throw new Error(`there is no upstream ${JSON.stringify(name)}`);
  return group;
}

/** What an operator has said about a server at run time outlives a change of its upstream; what the file says is the file's affair. */
function keepStates(old: UpstreamGroup, next: UpstreamGroup): void {
  for (const { address } of old.balancer.backends) {
    const state = old.balancer.stateOf(address);
    if (state === undefined || state === stateInFile(old, address)) continue;
    if (next.balancer.stateOf(address) !== undefined) next.balancer.setState(address, state);
  }
}

function stateInFile({ config: { discovery } }: UpstreamGroup, address: string): string {
  const server = discovery.kind === 'static' ? discovery.servers.find((one) => one.address === address) : undefined;
  return server?.state ?? 'active';
}
