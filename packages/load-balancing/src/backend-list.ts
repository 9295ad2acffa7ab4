/**
 * Turns what a user or a discovery gives into the list of distinct backends that a snapshot holds.
 *
 * Decides what duplicates mean, and when two lists are the same. Knows nothing about health or selection.
 */
import { Backend, MAX_WEIGHT } from './backend.ts';
import { STEP_MASK, type Steps } from './run-in-slices.ts';

/**
 * Parses the strings among the addresses; backends pass as they are.
 * Throws TypeError naming the position and the accepted forms.
 */
export function parseBackends(addresses: Iterable<string | Backend>): Backend[] {
  const backends: Backend[] = [];
  for (const entry of addresses) {
    try {
      backends.push(isBackend(entry) ? entry : Backend.parse(entry));
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new TypeError(`addresses[${backends.length}]: ${reason}`, { cause });
    }
  }
  return backends;
}

/**
 * One backend per address: by priority, within one in the order given, those of weight zero last.
 *
 * Entries with the same address become one whose weight is the sum of theirs: the traffic is that of separate
 * entries, as in nginx, with one state of health. Of priorities, maxima and data under the same key the first counts.
 * Throws TypeError for entries that are not backends, RangeError when a sum exceeds the largest weight.
 */
export function* mergeBackends(backends: Iterable<Backend>): Steps<Backend[]> {
  const byAddress = new Map<string, Backend>();
  let position = 0;
  for (const backend of backends) {
    if (!isBackend(backend))
      throw new TypeError(`backends[${position}] is not a Backend; Backend.parse(text) makes one`);
    const known = byAddress.get(backend.address);
    byAddress.set(backend.address, known === undefined ? backend : sum(known, backend));
    position += 1;
    if ((position & STEP_MASK) === 0) yield;
  }
  return yield* inOrder(byAddress.values());
}

function* inOrder(backends: Iterable<Backend>): Steps<Backend[]> {
  const byPriority: Backend[][] = [];
  const ofWeightZero: Backend[] = [];
  let count = 0;
  for (const backend of backends) {
    if (backend.weight === 0) ofWeightZero.push(backend);
    else {
      byPriority[backend.priority] ??= [];
      byPriority[backend.priority]?.push(backend);
    }
    count += 1;
    if ((count & STEP_MASK) === 0) yield;
  }
  return [...byPriority, ofWeightZero].filter((part) => part !== undefined).flat();
}

/** A list with the positions of its addresses. */
export interface KnownBackends {
  readonly list: readonly Backend[];
  readonly positions: ReadonlyMap<string, number>;
}

/** True when both lists have the same backends with the same properties and data, in whatever order. */
export function* sameBackends(known: KnownBackends, list: readonly Backend[]): Steps<boolean> {
  if (list.length !== known.list.length) return false;
  for (const [i, backend] of list.entries()) {
    const position = known.positions.get(backend.address);
    if (position === undefined || !isSame(known.list[position], backend)) return false;
    if ((i & STEP_MASK) === 0) yield;
  }
  return true;
}

/** True when they have the same address, properties and data. */
export function isSame(a: Backend | undefined, b: Backend): boolean {
  if (a === b) return true;
  if (a === undefined || a.address !== b.address || a.ext.size !== b.ext.size) return false;
  if (a.weight !== b.weight || a.priority !== b.priority || a.maxConnections !== b.maxConnections) return false;
  for (const [key, value] of a.ext) {
    if (!b.ext.has(key) || b.ext.get(key) !== value) return false;
  }
  return true;
}

function sum(first: Backend, second: Backend): Backend {
  const weight = first.weight + second.weight;
  if (weight > MAX_WEIGHT) {
    throw new RangeError(`the weights of backend ${first.address} add up to ${weight}, more than ${MAX_WEIGHT}`);
  }
  const { maxConnections, priority } = first;
  return Backend.of(first, { weight, priority, maxConnections, ext: new Map([...second.ext, ...first.ext]) });
}

/** By shape, not by class: two installed copies of this package understand each other. */
function isBackend(value: unknown): value is Backend {
  return typeof value === 'object' && value !== null && 'address' in value && 'weight' in value && 'ext' in value;
}
