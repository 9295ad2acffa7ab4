/**
 * Turns what a user or a discovery gives into the list of distinct backends that a snapshot holds.
 *
 * Decides what duplicates mean, and when two lists are the same. Knows nothing about health or selection.
 */
import { Backend, MAX_WEIGHT } from './backend.ts';

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
 * One backend per address, in the order given, those of weight zero last.
 *
 * Entries with the same address become one whose weight is the sum of theirs: the traffic is that of separate
 * entries, as in nginx, with one state of health. Of their data under the same key the first counts.
 * Throws TypeError for entries that are not backends, RangeError when a sum exceeds the largest weight.
 */
export function mergeBackends(backends: Iterable<Backend>): Backend[] {
  const byAddress = new Map<string, Backend>();
  let position = 0;
  for (const backend of backends) {
    if (!isBackend(backend))
      throw new TypeError(`backends[${position}] is not a Backend; Backend.parse(text) makes one`);
    const known = byAddress.get(backend.address);
    byAddress.set(backend.address, known === undefined ? backend : sum(known, backend));
    position += 1;
  }
  const merged = [...byAddress.values()];
  return [...merged.filter((backend) => backend.weight > 0), ...merged.filter((backend) => backend.weight === 0)];
}

/** True when both lists have the same addresses with the same weights and data, in whatever order. */
export function sameBackends(known: ReadonlyMap<string, Backend>, list: readonly Backend[]): boolean {
  return list.length === known.size && list.every((backend) => isSame(known.get(backend.address), backend));
}

function isSame(a: Backend | undefined, b: Backend): boolean {
  if (a === b) return true;
  if (a === undefined || a.weight !== b.weight || a.ext.size !== b.ext.size) return false;
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
  return Backend.of(first, { weight, ext: new Map([...second.ext, ...first.ext]) });
}

/** By shape, not by class: two installed copies of this package understand each other. */
function isBackend(value: unknown): value is Backend {
  return typeof value === 'object' && value !== null && 'address' in value && 'weight' in value && 'ext' in value;
}
