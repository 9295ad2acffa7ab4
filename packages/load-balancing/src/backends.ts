/**
 * One immutable snapshot of a balancer: the backends, who of them is in rotation, and the algorithm at work on them.
 *
 * Whatever changes makes a new snapshot, published by one assignment in load-balancer.ts; nobody ever sees half
 * a change. Snapshots that differ only in health share everything else.
 */
import type { Backend } from './backend.ts';
import { PickCounts } from './pick-counts.ts';
import type { Selection, SelectionKey } from './selection/selection.ts';

/** Decides whether a candidate is taken. `healthy` is true when it is in rotation: healthy and enabled. */
export type Accept = (backend: Backend, healthy: boolean) => boolean;

/** One bit per backend, by position. */
type Bits = Uint32Array;

/** What snapshots that differ only in health have in common. */
interface Common {
  readonly list: readonly Backend[];
  readonly positions: ReadonlyMap<string, number>;
  readonly selection: Selection;
  /** How often each was chosen; the one thing that goes on counting. */
  readonly picks: PickCounts;
}

/** The backends at one moment; iterates over them in the order given, those of weight zero last. */
export class Backends implements Iterable<Backend> {
  readonly #common: Common;
  readonly #list: readonly Backend[];
  readonly #selection: Selection;
  readonly #healthy: Bits;
  readonly #enabled: Bits;
  /** Both. */
  readonly #ready: Bits;
  readonly #picks: Uint32Array;

  private constructor(common: Common, healthy: Bits, enabled: Bits) {
    this.#common = common;
    this.#list = common.list;
    this.#selection = common.selection;
    this.#picks = common.picks.recent;
    this.#healthy = healthy;
    this.#enabled = enabled;
    this.#ready = both(healthy, enabled);
  }

  /**
   * For the balancer: a snapshot of a list with distinct addresses, and the selection built from its beginning. Backends
   * that were in the snapshot before go on counting where they were.
   */
  static create(
    list: readonly Backend[],
    selection: Selection,
    isHealthy: (address: string) => boolean,
    isEnabled: (address: string) => boolean,
    before?: Backends,
  ): Backends {
    const positions = new Map(list.map((backend, position) => [backend.address, position]));
    const picks = new PickCounts(Float64Array.from(list, (backend) => before?.picksOf(backend) ?? 0));
    const common = { list: Object.freeze([...list]), positions, selection, picks };
    return new Backends(common, bitsOf(list, isHealthy), bitsOf(list, isEnabled));
  }

  /** For the balancer: this snapshot with other states. */
  withStates(isHealthy: (address: string) => boolean, isEnabled: (address: string) => boolean): Backends {
    return new Backends(this.#common, bitsOf(this.#list, isHealthy), bitsOf(this.#list, isEnabled));
  }

  /** How many backends there are, whatever their state. */
  get size(): number {
    return this.#list.length;
  }

  /** The algorithm's state. For the balancer. */
  get selection(): Selection {
    return this.#selection;
  }

  [Symbol.iterator](): Iterator<Backend> {
    return this.#list[Symbol.iterator]();
  }

  /** The backend with this canonical address. */
  find(address: string): Backend | undefined {
    const position = this.#common.positions.get(address);
    return position === undefined ? undefined : this.#list[position];
  }

  /** True for a backend of this snapshot that its health checks call healthy; so they do before the first one. */
  isHealthy(backend: { readonly address: string }): boolean {
    return this.#has(this.#healthy, backend.address);
  }

  /** True for a backend of this snapshot that neither an operator nor the discovery has switched off. */
  isEnabled(backend: { readonly address: string }): boolean {
    return this.#has(this.#enabled, backend.address);
  }

  /** True for a backend of this snapshot that is in rotation: healthy and enabled. */
  isReady(backend: { readonly address: string }): boolean {
    return this.isHealthy(backend) && this.isEnabled(backend);
  }

  /** For the balancer: this snapshot with another state of health for one backend. */
  withHealth(address: string, healthy: boolean): Backends {
    return new Backends(this.#common, this.#changed(this.#healthy, address, healthy), this.#enabled);
  }

  /** For the balancer: this snapshot with one backend switched on or off. */
  withEnabled(address: string, enabled: boolean): Backends {
    return new Backends(this.#common, this.#healthy, this.#changed(this.#enabled, address, enabled));
  }

  /** The position of the first candidate in rotation among the first `maxIterations`, -1 if there is none. */
  choose(key: SelectionKey, maxIterations: number): number {
    const selection = this.#selection;
    let left = maxIterations;
    if (!(left > 0)) return -1;
    let position = selection.first(key);
    while (position >= 0) {
      if (this.#isReadyAt(position)) return position;
      left -= 1;
      if (!(left > 0)) return -1;
      position = selection.next();
    }
    return -1;
  }

  /** As `choose`, with `accept` deciding instead of health. What it throws passes through. */
  chooseWith(key: SelectionKey, maxIterations: number, accept: Accept): number {
    const selection = this.#selection;
    let left = maxIterations;
    if (!(left > 0)) return -1;
    let position = selection.first(key);
    while (position >= 0) {
      if (accept(this.#list[position] as Backend, this.#isReadyAt(position))) return position;
      left -= 1;
      if (!(left > 0)) return -1;
      position = selection.next();
    }
    return -1;
  }

  /** The backend at a position that `choose` returned, counted as chosen; undefined for -1. */
  take(position: number): Backend | undefined {
    if (position < 0) return undefined;
    (this.#picks[position] as number) += 1;
    return this.#list[position];
  }

  /** How often this backend was chosen. */
  picksOf(backend: { readonly address: string }): number {
    const position = this.#common.positions.get(backend.address);
    return position === undefined ? 0 : this.#common.picks.at(position);
  }

  #isReadyAt(position: number): boolean {
    return (((this.#ready[position >>> 5] as number) >>> (position & 31)) & 1) === 1;
  }

  #has(bits: Bits, address: string): boolean {
    const position = this.#common.positions.get(address);
    return position !== undefined && (((bits[position >>> 5] as number) >>> (position & 31)) & 1) === 1;
  }

  #changed(bits: Bits, address: string, value: boolean): Bits {
    const position = this.#common.positions.get(address);
    if (position === undefined) return bits;
    const copy = bits.slice();
    setBit(copy, position, value);
    return copy;
  }
}

function bitsOf(list: readonly Backend[], isSet: (address: string) => boolean): Bits {
  const bits = new Uint32Array((list.length + 31) >>> 5);
  for (const [position, backend] of list.entries()) setBit(bits, position, isSet(backend.address));
  return bits;
}

function both(one: Bits, other: Bits): Bits {
  const bits = new Uint32Array(one.length);
  for (let i = 0; i < bits.length; i += 1) bits[i] = (one[i] as number) & (other[i] as number);
  return bits;
}

function setBit(bits: Bits, position: number, value: boolean): void {
  const mask = 1 << (position & 31);
  const word = bits[position >>> 5] as number;
  bits[position >>> 5] = value ? word | mask : word & ~mask;
}
