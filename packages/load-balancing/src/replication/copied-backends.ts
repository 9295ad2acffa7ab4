/**
 * Makes the backends of a copy from what it was told, out of those that it has where possible.
 *
 * A backend that the copy has made by itself, from the same configuration, keeps its data: it may hold what cannot be
 * passed between threads. Data of a backend that was only heard of is always that of the original.
 */
import { isDeepStrictEqual } from 'node:util';
import { Backend } from '../backend.ts';
import { type KnownBackends, mergeBackends } from '../backend-list.ts';
import { STEP_MASK, type Steps } from '../run-in-slices.ts';
import type { BackendsChange, DataEntries } from './balancer-change.ts';

const NO_ENTRIES: DataEntries = [];

/** What was heard of one backend. */
interface Heard {
  readonly address: string;
  readonly weight: number;
  readonly priority: number;
  readonly maxConnections: number;
  readonly entries: DataEntries;
}

/** Remembers of which backends the data were only heard of. */
export class CopiedBackends {
  readonly #data = new WeakMap<Backend, DataEntries>();

  /**
   * The list of a change; a backend that has not changed is the known object. Undefined when it is the known list, in the same
   * order. Throws TypeError or RangeError for addresses and weights that cannot be.
   */
  *listOf(change: BackendsChange, known: KnownBackends): Steps<readonly Backend[] | undefined> {
    const data = new Map(change.data);
    const list: Backend[] = [];
    let isSame = change.addresses.length === known.list.length;
    for (const [i, address] of change.addresses.entries()) {
      const position = known.positions.get(address);
      const backend = this.#copyOf(position === undefined ? undefined : known.list[position], {
        address,
        weight: change.weights[i] as number,
        priority: change.priorities?.[i] ?? 0,
        maxConnections: change.maxConnections?.[i] ?? 0,
        entries: data.get(address) ?? NO_ENTRIES,
      });
      list.push(backend);
      isSame &&= backend === known.list[i];
      if ((i & STEP_MASK) === 0) yield;
    }
    if (isSame) return undefined;
    const merged = yield* mergeBackends(list);
    if (merged.length < list.length) throw new TypeError('change.addresses must be distinct');
    return merged;
  }

  #copyOf(known: Backend | undefined, { address, entries, ...properties }: Heard): Backend {
    const heard = known === undefined ? entries : this.#heardOf(known);
    const isUpToDate = heard === undefined || heard === entries || isDeepStrictEqual(heard, entries);
    if (known !== undefined && isUpToDate && hasProperties(known, properties)) return known;
    const options = { ...properties, ext: heard === undefined ? known?.ext : new Map(entries) };
    const copy = known === undefined ? Backend.parse(address, options) : Backend.of(known, options);
    if (copy.address !== address) {
      throw new TypeError(`change.addresses must be in canonical form: ${copy.address}, got ${address}`);
    }
    if (heard !== undefined && entries.length > 0) this.#data.set(copy, entries);
    return copy;
  }

  /** Undefined for a backend with data of the copy's own. */
  #heardOf(known: Backend): DataEntries | undefined {
    return this.#data.get(known) ?? (known.ext.size === 0 ? NO_ENTRIES : undefined);
  }
}

function hasProperties(backend: Backend, heard: Omit<Heard, 'address' | 'entries'>): boolean {
  return (
    backend.weight === heard.weight &&
    backend.priority === heard.priority &&
    backend.maxConnections === heard.maxConnections
  );
}
