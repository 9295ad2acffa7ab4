/**
 * The upstreams of a gateway by name, and their upkeep: discoveries and health checks, which run on the main thread only.
 */

import type { Logger } from '@cirque/core';
import type { BackendsChange, BalancerChange } from '@cirque/load-balancing';
import type { UpstreamConfig } from '../config/gateway-config.ts';
import { UpstreamGroup } from '../upstreams/upstream-group.ts';

/** How long a new upstream may take for its first discovery and checks before traffic goes to it all the same. */
const FIRST_ROUND_MS = 5_000;

/** One upstream with what it was made of. */
interface Entry {
  readonly text: string;
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

  /** The group with this name. @throws Error for a name that the checked file cannot hold. */
  readonly find = (name: string): UpstreamGroup => {
    const group = this.#entries.get(name)?.group;
    if (group === undefined) throw new Error(`there is no upstream ${JSON.stringify(name)}`);
    return group;
  };

  /** All groups by name. */
  groups(): ReadonlyMap<string, UpstreamGroup> {
    return new Map([...this.#entries].map(([name, { group }]) => [name, group]));
  }

  /** Makes groups for what is new or has changed; what has not changed stays the object it is. */
  prepare(configs: Readonly<Record<string, UpstreamConfig>>): PreparedUpstreams {
    const entries = new Map<string, Entry>();
    const fresh: Entry[] = [];
    for (const [name, config] of Object.entries(configs)) {
      const text = JSON.stringify(config);
      const known = this.#entries.get(name);
      const entry = known?.text === text ? known : this.#make(config, text);
      if (entry !== known) fresh.push(entry);
      entries.set(name, entry);
    }
    return { entries, fresh };
  }

  /**
   * Starts the upkeep of new groups and waits for their first round, so that nobody is sent to a server that is known to be
   * dead. One that takes too long is used as it is.
   */
  async warmUp({ fresh }: PreparedUpstreams): Promise<void> {
    if (this.#upkeep === undefined) return;
    await Promise.all(fresh.map((entry) => this.#start(entry)));
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
    await Promise.all([...this.#entries.values()].map((entry) => this.#start(entry)));
    ready();
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve(), { once: true });
    });
    for (const entry of this.#entries.values()) entry.stop.abort();
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

  /** Ends everything. */
  close(): void {
    for (const entry of this.#entries.values()) this.#end(entry);
    this.#entries = new Map();
  }

  #make(config: UpstreamConfig, text: string): Entry {
    const group = new UpstreamGroup(config, { logger: this.#logger() });
    return { text, group, stop: new AbortController(), unsubscribe: () => {} };
  }

  /** Resolves after the first round, or when that has taken too long. */
  #start({ group, stop }: Entry): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, FIRST_ROUND_MS);
      const first = (): void => {
        clearTimeout(timer);
        resolve();
      };
      group.balancer.start(stop.signal, first).then(first, (error: unknown) => {
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
