/**
 * What one balancer tells its copies in other threads, and the check of what a copy is told.
 *
 * Plain data that structured cloning passes on. Entries are named by their address, so a change that comes late is
 * harmless. How a change is made and taken over is backend-set.ts.
 */

/** Entries of `Backend.ext`. */
export type DataEntries = readonly (readonly [key: unknown, value: unknown])[];

/** All backends and their states; complete, and also what tells of a new list. */
export interface BackendsChange {
  readonly kind: 'backends';
  /** Canonical addresses, in the order of the list. */
  readonly addresses: readonly string[];
  /** The weight of each of them. */
  readonly weights: readonly number[];
  /** The data of those that have any, as far as they can be cloned. */
  readonly data: readonly (readonly [address: string, entries: DataEntries])[];
  /** Addresses of those that health checks have found ill. */
  readonly unhealthy: readonly string[];
  /** Addresses of those that an operator has switched off. */
  readonly switchedOff: readonly string[];
  /** Addresses of those that the discovery has switched off. */
  readonly undiscovered: readonly string[];
}

/** One backend has become healthy or unhealthy. */
export interface HealthChange {
  readonly kind: 'health';
  readonly address: string;
  readonly healthy: boolean;
  /** Why its check failed. */
  readonly reason?: string;
}

/** An operator has switched one backend on or off. */
export interface SwitchChange {
  readonly kind: 'switch';
  readonly address: string;
  readonly enabled: boolean;
}

/** What `LoadBalancer.onChange` gives and `apply` takes. */
export type BalancerChange = BackendsChange | HealthChange | SwitchChange;

/** The value, if it has the shape of a change. Throws TypeError naming what is wrong with it. */
export function checkChange(value: unknown): BalancerChange {
  const change = (value ?? {}) as Partial<BackendsChange & Omit<HealthChange, 'kind'> & Omit<SwitchChange, 'kind'>>;
  switch (change.kind as BalancerChange['kind']) {
    case 'backends':
      checkLists(change);
      break;
    case 'health':
      check('address', change.address, 'string');
      check('healthy', change.healthy, 'boolean');
      if (change.reason !== undefined) check('reason', change.reason, 'string');
      break;
    case 'switch':
      check('address', change.address, 'string');
      check('enabled', change.enabled, 'boolean');
      break;
    default:
      throw new TypeError(
        `change.kind must be 'backends', 'health' or 'switch', got ${String(change.kind)}; apply takes what snapshot and onChange give`,
      );
  }
  return change as BalancerChange;
}

function checkLists(change: Partial<BackendsChange>): void {
  for (const name of ['addresses', 'weights', 'data', 'unhealthy', 'switchedOff', 'undiscovered'] as const) {
    if (!Array.isArray(change[name]))
      throw new TypeError(`change.${name} must be an array, got ${typeof change[name]}`);
  }
  const { addresses, data, switchedOff, undiscovered, unhealthy, weights } = change as BackendsChange;
  if (weights.length !== addresses.length) {
    throw new TypeError(`change.weights must be as many as the ${addresses.length} addresses, got ${weights.length}`);
  }
  let known: ReadonlySet<unknown> | undefined;
  const checkKnown = (name: string, address: unknown): void => {
    known ??= new Set(addresses);
    if (known.has(address)) return;
    throw new TypeError(`change.${name} must name addresses of the list, got ${String(address)}`);
  };
  for (const [name, list] of Object.entries({ unhealthy, switchedOff, undiscovered })) {
    for (const address of list) checkKnown(name, address);
  }
  for (const entry of data) {
    checkKnown('data', entry?.[0]);
    if (!Array.isArray(entry[1]) || !entry[1].every(Array.isArray)) {
      throw new TypeError(`change.data of ${entry[0]} must be an array of pairs`);
    }
  }
}

function check(name: string, value: unknown, type: 'string' | 'boolean'): void {
  const found = typeof value;
  if (found !== type) throw new TypeError(`change.${name} must be a ${type}, got ${found}`);
}
