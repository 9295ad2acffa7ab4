/**
 * What a balancer counts, as plain data.
 */

/** Counters and gauges of one backend. Gone with the backend when it leaves the set. */
export type BackendStats = {
  /** How often it was chosen: by `select`, `selectWith` and `pick`. */
  readonly picks: number;
  /** 1 or 0. */
  readonly healthy: number;
  /** 1 or 0: neither an operator nor the discovery has switched it off. */
  readonly enabled: number;
  /** Results of health checks. */
  readonly checks: number;
  /** Those of them that were failures. */
  readonly checkFailures: number;
};

/** Counters and gauges of a balancer. */
export type BalancerStats = {
  /** How many there are, how many of them are healthy, and how many are enabled. */
  readonly backends: number;
  readonly healthy: number;
  readonly enabled: number;
  /** All choices, those of backends that have left included. */
  readonly picks: number;
  /** By canonical address. */
  readonly byAddress: { readonly [address: string]: BackendStats };
};

/** What each copy of a balancer counts by itself. */
export type BalancerCounters = {
  readonly picks: number;
  /** By canonical address. */
  readonly byAddress: { readonly [address: string]: { readonly picks: number } };
};
