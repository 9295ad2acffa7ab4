/**
 * What a balancer counts, as plain data.
 */
import type { BackendSet } from './backend-set.ts';
import type { BackendState } from './backend-state.ts';
import type { OperatorState } from './pick-options.ts';
import type { SlowStart } from './slow-start.ts';
import type { Uses } from './uses.ts';
import type { WaitingPicks, WaitingStats } from './waiting-picks.ts';

/** Counters and gauges of one backend. Gone with the backend when it leaves the set. */
export type BackendStats = {
  /** How often it was chosen: by `select`, `selectWith`, `pick` and `acquire`. */
  readonly picks: number;
  /** Picks that have not been released. */
  readonly inFlight: number;
  /** Picks that were released with `ok: false`. */
  readonly failures: number;
  /** 1 or 0. */
  readonly healthy: number;
  /** 1 or 0: active, and not switched off by the discovery. */
  readonly enabled: number;
  /** 1 or 0: taken out for a while by passive health. */
  readonly ejected: number;
  /** 1 or 0: in its slow start. */
  readonly young: number;
  /** What the operator has decided. */
  readonly state: OperatorState;
  /** Results of health checks. */
  readonly checks: number;
  /** Those of them that were failures. */
  readonly checkFailures: number;
};

/** Counters and gauges of a balancer. */
export type BalancerStats = WaitingStats & {
  /** How many there are, how many of them are healthy, how many are enabled, and how many are ejected. */
  readonly backends: number;
  readonly healthy: number;
  readonly enabled: number;
  readonly ejected: number;
  /** 1 or 0: health is ignored in a tier where too few are well (`panicThreshold`). */
  readonly panic: number;
  /** All choices, those of backends that have left included. */
  readonly picks: number;
  /** All picks that have not been released, those of backends that have left included. */
  readonly inFlight: number;
  /** By canonical address. */
  readonly byAddress: { readonly [address: string]: BackendStats };
};

/** What each copy of a balancer counts by itself; ejections and panic, too, are each copy's own. */
export type BalancerCounters = WaitingStats & {
  readonly picks: number;
  readonly inFlight: number;
  readonly ejected: number;
  readonly panic: number;
  /** By canonical address. */
  readonly byAddress: {
    readonly [address: string]: { readonly [name in 'picks' | 'inFlight' | 'failures' | 'ejected']: number };
  };
};

/** Where the numbers come from. */
export interface StatsSources {
  readonly set: BackendSet;
  readonly uses: Uses;
  readonly waiting: WaitingPicks;
  readonly slowStart: SlowStart;
}

/** Takes time in proportion to the number of backends. */
export function balancerStats({ set, slowStart, uses, waiting }: StatsSources): BalancerStats {
  const { lineup, rotation } = set.snapshot;
  const byAddress: Record<string, BackendStats> = {};
  const sum = { backends: lineup.list.length, healthy: 0, enabled: 0, ejected: 0, picks: set.formerPicks };
  for (const [position, state] of lineup.states.entries()) {
    const stats = backendStats(state, lineup.picks.at(position), slowStart);
    byAddress[state.address] = stats;
    sum.healthy += stats.healthy;
    sum.enabled += stats.enabled;
    sum.ejected += stats.ejected;
    sum.picks += stats.picks;
  }
  return { ...sum, inFlight: uses.inFlight, panic: rotation.hasPanic ? 1 : 0, ...waiting.stats(), byAddress };
}

/** Those of the stats that a copy does not share with its original. */
export function balancerCounters(stats: BalancerStats): BalancerCounters {
  const { backends: _, byAddress, enabled: __, healthy: ___, ...own } = stats;
  const counted = Object.entries(byAddress).map(([address, { ejected, failures, inFlight, picks }]) => {
    return [address, { picks, inFlight, failures, ejected }] as const;
  });
  return { ...own, byAddress: Object.fromEntries(counted) };
}

function backendStats(state: BackendState, picks: number, slowStart: SlowStart): BackendStats {
  const { failures, health, inFlight, operator } = state;
  return {
    picks,
    inFlight,
    failures,
    healthy: health.healthy ? 1 : 0,
    enabled: state.isEnabled ? 1 : 0,
    ejected: state.isEjected ? 1 : 0,
    young: slowStart.isYoung(state) ? 1 : 0,
    state: operator,
    checks: health.checks,
    checkFailures: health.failures,
  };
}
