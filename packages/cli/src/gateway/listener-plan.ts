/**
 * What becomes of listeners when another configuration takes the place of theirs.
 *
 * Who has the same address goes on with its socket, whatever it is called now; otherwise names tell which one is meant.
 */
import type { ListenerConfig } from '../config/gateway-config.ts';
import type { UpstreamLookup } from '../upstreams/upstream-lookup.ts';
import { type GatewayListener, placeOf, settingsOf } from './listener.ts';

/** To be carried out in the order of its parts: what goes makes room for what comes. */
export interface ListenerPlan {
  /** Other tables for listeners that stay. Calling them cannot fail. */
  readonly swaps: readonly (() => void)[];
  readonly removed: readonly GatewayListener[];
  readonly replaced: readonly (readonly [old: GatewayListener, next: GatewayListener])[];
  readonly added: readonly GatewayListener[];
}

/** What a plan is made of. */
export interface PlanParts {
  /** The listeners as they are. */
  readonly open: readonly GatewayListener[];
  /** As they shall be. */
  readonly configs: readonly ListenerConfig[];
  /** The upstreams of that configuration. */
  readonly upstreams: UpstreamLookup;
  make(config: ListenerConfig, upstreams: UpstreamLookup): GatewayListener;
}

/** Makes tables and services, and changes nothing. @throws what is wrong with one of them. */
export function listenerPlan({ configs, make, open, upstreams }: PlanParts): ListenerPlan {
  const swaps: (() => void)[] = [];
  const replaced: [GatewayListener, GatewayListener][] = [];
  const added: GatewayListener[] = [];
  const gone = new Set(open);
  const predecessorOf = predecessors(open, configs);
  for (const config of configs) {
    const old = predecessorOf(config);
    if (old !== undefined) gone.delete(old);
    if (old?.name === config.name && old.settings === settingsOf(config)) swaps.push(old.prepare(config, upstreams));
    else if (old === undefined) added.push(make(config, upstreams));
    else replaced.push([old, make(config, upstreams)]);
  }
  return { swaps, removed: [...gone], replaced, added };
}

/**
 * Finds the listener whose place one takes: that of its address, unless its name is somebody else's still, otherwise that of its
 * name, unless the address of that one is taken over.
 */
function predecessors(
  open: readonly GatewayListener[],
  configs: readonly ListenerConfig[],
): (config: ListenerConfig) => GatewayListener | undefined {
  const byName = new Map(open.map((one) => [one.name, one]));
  const byPlace = new Map(open.map((one) => [one.place, one]));
  const wanted = new Set(configs.map(placeOf));
  return (config) => {
    const there = byPlace.get(placeOf(config));
    const named = byName.get(config.name);
    if (there !== undefined) return named === undefined || named === there ? there : undefined;
    return named === undefined || wanted.has(named.place) ? undefined : named;
  };
}
