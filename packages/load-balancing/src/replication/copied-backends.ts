/**
 * Makes the backends of a copy from what it was told, out of those that it has where possible.
 *
 * A backend that the copy has made by itself, from the same configuration, keeps its data: it may hold what cannot be
 * passed between threads. Data of a backend that was only heard of is always that of the original.
 */
import { isDeepStrictEqual } from 'node:util';
import { Backend } from '../backend.ts';
import { mergeBackends } from '../backend-list.ts';
import type { Backends } from '../backends.ts';
import type { BackendsChange, DataEntries } from './balancer-change.ts';

const NO_ENTRIES: DataEntries = [];

/** Remembers which backends were only heard of, and with which data. */
export class CopiedBackends {
  readonly #data = new WeakMap<Backend, DataEntries>();

  /**
   * The list of a change; a backend that has not changed is the known object. Undefined when it is the known list, in the same
   * order. Throws TypeError or RangeError for addresses and weights that cannot be.
   */
  listOf(change: BackendsChange, known: Backends): readonly Backend[] | undefined {
    const data = new Map(change.data);
    const list = change.addresses.map((address, i) => {
      return this.#copyOf(known.find(address), address, change.weights[i] as number, data.get(address) ?? NO_ENTRIES);
    });
    if (isSame([...known], list)) return undefined;
    const merged = mergeBackends(list);
    if (merged.length < list.length) throw new TypeError('change.addresses must be distinct');
    return merged;
  }

  #copyOf(known: Backend | undefined, address: string, weight: number, entries: DataEntries): Backend {
    const heard = known === undefined ? entries : this.#data.get(known);
    const isUpToDate = heard === undefined || heard === entries || isDeepStrictEqual(heard, entries);
    if (known !== undefined && known.weight === weight && isUpToDate) return known;
    const ext = heard === undefined ? known?.ext : new Map(entries);
    const copy = known === undefined ? Backend.parse(address, { weight, ext }) : Backend.of(known, { weight, ext });
    if (copy.address !== address) {
      throw new TypeError(`change.addresses must be in canonical form: ${copy.address}, got ${address}`);
    }
    if (heard !== undefined) this.#data.set(copy, entries);
    return copy;
  }
}

function isSame(one: readonly Backend[], other: readonly Backend[]): boolean {
  return one.length === other.length && one.every((backend, i) => backend === other[i]);
}
