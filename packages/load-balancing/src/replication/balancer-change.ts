/**
 * What one balancer tells its copies in other threads, and the check of what a copy is told.
 *
 * Plain data that structured cloning passes on. Entries are named by their address, so a change that comes late is
 * harmless. How a change is made and taken over is backend-set.ts.
 */
import type { OperatorState } from '../pick-options.ts';
import { STEP_MASK, type Steps } from '../run-in-slices.ts';

/** Entries of `Backend.ext`. */
export type DataEntries = readonly (readonly [key: unknown, value: unknown])[];

/** All backends and their states; complete, and also what tells of a new list. */
export interface BackendsChange {
  readonly kind: 'backends';
  /** Canonical addresses, in the order of the list. */
  readonly addresses: readonly string[];
  /** The weight of each of them. */
  readonly weights: readonly number[];
  /** The priority of each of them; absent when all have the default. */
  readonly priorities?: readonly number[];
  /** The cap that each of them has of its own; absent when all have the default. */
  readonly maxConnections?: readonly number[];
  /** The data of those that have any, as far as they can be cloned. */
  readonly data: readonly (readonly [address: string, entries: DataEntries])[];
  /** Addresses of those that health checks have found ill. */
  readonly unhealthy: readonly string[];
  /** Addresses of those that an operator lets run empty. */
  readonly draining: readonly string[];
  /** Addresses of those that an operator has taken out. */
  readonly maintenance: readonly string[];
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

/** An operator has decided about one backend. */
export interface StateChange {
  readonly kind: 'state';
  readonly address: string;
  readonly state: OperatorState;
}

/** What `LoadBalancer.onChange` gives and `apply` takes. */
export type BalancerChange = BackendsChange | HealthChange | StateChange;

/** The arrays that every list has. */
const LISTS = ['addresses', 'weights', 'data', 'unhealthy', 'draining', 'maintenance', 'undiscovered'] as const;
/** Those that have an entry for each address, if they are there. */
const BY_ADDRESS = ['weights', 'priorities', 'maxConnections'] as const;
/** Those that name addresses of the list. */
const NAMES = ['unhealthy', 'draining', 'maintenance', 'undiscovered'] as const;
const STATES: readonly unknown[] = ['active', 'draining', 'maintenance'] satisfies OperatorState[];

/**
 * The value, if it has the shape of a change; of a list, what takes time is left to `checkEntries`. Throws TypeError naming
 * what is wrong with it.
 */
export function checkChange(value: unknown): BalancerChange {
  const change = (value ?? {}) as Partial<BackendsChange & Omit<HealthChange, 'kind'> & Omit<StateChange, 'kind'>>;
  switch (change.kind as BalancerChange['kind']) {
    case 'backends':
      checkLists(change);
      break;
    case 'health':
      check('address', change.address, 'string');
      check('healthy', change.healthy, 'boolean');
      if (change.reason !== undefined) check('reason', change.reason, 'string');
      break;
    case 'state':
      check('address', change.address, 'string');
      if (!STATES.includes(change.state)) {
        throw new TypeError(`change.state must be 'active', 'draining' or 'maintenance', got ${String(change.state)}`);
      }
      break;
    default:
      throw new TypeError(
        `change.kind must be 'backends', 'health' or 'state', got ${String(change.kind)}; apply takes what snapshot and onChange give`,
      );
  }
  return change as BalancerChange;
}

function checkLists(change: Partial<BackendsChange>): void {
  for (const name of LISTS) {
    if (!Array.isArray(change[name]))
      throw new TypeError(`change.${name} must be an array, got ${typeof change[name]}`);
  }
  const { length } = change.addresses ?? [];
  for (const name of BY_ADDRESS) {
    const list: unknown = change[name];
    if (list === undefined || (Array.isArray(list) && list.length === length)) continue;
    const found = Array.isArray(list) ? list.length : typeof list;
    throw new TypeError(`change.${name} must be as many as the ${length} addresses, got ${found}`);
  }
}

/** Checks that what a list says is about addresses that it has. Throws TypeError naming what is wrong. */
export function* checkEntries(change: BackendsChange): Steps<void> {
  const isQuiet = NAMES.every((name) => change[name].length === 0) && change.data.length === 0;
  if (isQuiet) return;
  const known = new Set<unknown>();
  for (const [i, address] of change.addresses.entries()) {
    known.add(address);
    if ((i & STEP_MASK) === 0) yield;
  }
  for (const name of NAMES) yield* checkKnown(name, change[name], known);
  for (const [i, entry] of change.data.entries()) {
    if (!known.has(entry?.[0])) throw unknownAddress('data', entry?.[0]);
    if (!Array.isArray(entry[1]) || !entry[1].every(Array.isArray)) {
      throw new TypeError(`change.data of ${entry[0]} must be an array of pairs`);
    }
    if ((i & STEP_MASK) === 0) yield;
  }
}

function* checkKnown(name: string, addresses: readonly unknown[], known: ReadonlySet<unknown>): Steps<void> {
  for (const [i, address] of addresses.entries()) {
    if (!known.has(address)) throw unknownAddress(name, address);
    if ((i & STEP_MASK) === 0) yield;
  }
}

function unknownAddress(name: string, address: unknown): TypeError {
  return new TypeError(`change.${name} must name addresses of the list, got ${String(address)}`);
}

function check(name: string, value: unknown, type: 'string' | 'boolean'): void {
  const found = typeof value;
  if (found !== type) throw new TypeError(`change.${name} must be a ${type}, got ${found}`);
}
