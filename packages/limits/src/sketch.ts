/**
 * The count-min sketch (Cormode and Muthukrishnan, 2005) under Estimator, Inflight and Rate, in memory that threads share.
 *
 * A key has one counter in each of `hashes` lines of `slots` counters; others may have the same one, so the smallest of them is
 * nearest to the truth. Each thread counts in a row of its own; what is looked at is the sum over the rows, which is the
 * sketch that one thread alone would have made. A row has planes, each for one epoch; a plane of another epoch counts as empty.
 */
import type { KeyHash, LimitKey } from './key-hash.ts';
import { HEAD_CELLS, joinRows } from './row-head.ts';
import { checkInteger, layoutBytes, type RowLayout, type RowOptions, rowCells, rowLayout } from './row-memory.ts';

/** Size of a sketch, and where it is. All threads that share a buffer must give the same size. */
export interface SketchOptions extends RowOptions {
  /** Counters per key, from 1 to 16. More make it less likely that an estimate is far off. */
  readonly hashes?: number | undefined;
  /** Counters in each line, from 1 to 1,048,576. More make all estimates better. */
  readonly slots?: number | undefined;
}

/** A size with nothing left out. */
export interface SketchSize {
  readonly hashes: number;
  readonly slots: number;
  /** Planes in each row. */
  readonly planes: number;
}

/** Where a counter stops. */
const MOST = 2 ** 31 - 1;

/** The options with defaults. */
export function sketchSize(options: SketchOptions, defaults: SketchSize): SketchSize {
  const { hashes = defaults.hashes, slots = defaults.slots } = options;
  checkInteger('hashes', hashes, 1, 16);
  checkInteger('slots', slots, 1, 2 ** 20);
  return { hashes, slots, planes: defaults.planes };
}

/** How many bytes a buffer for it has. */
export function sketchBytes(options: SketchOptions, size: SketchSize): number {
  return layoutBytes(layoutOf(options, size));
}

/** Checks what is counted: throws RangeError for all but integers from 0. */
export function checkCount(n: number): number {
  return checkInteger('a count', n, 0, MOST);
}

/** Counters of keys. `locate` names the key; what follows is about it, until the next one. */
export class Sketch {
  readonly #cells: Int32Array;
  readonly #size: SketchSize;
  readonly #stride: number;
  readonly #own: number;
  /** Cells of a plane. */
  readonly #plane: number;
  readonly #hash: KeyHash;
  /** Where the located key has its counters, from the beginning of a plane. */
  readonly #places: Int32Array;
  /** Of each of these counters, the sum over the rows. */
  readonly #sums: Float64Array;

  /** `agreed`: what else all threads must give alike, by name; positive integers. */
  constructor(options: SketchOptions, size: SketchSize, agreed: Readonly<Record<string, number>> = {}) {
    const layout = layoutOf(options, size);
    const row = options.row ?? 0;
    this.#cells = rowCells(layout, options);
    this.#hash = joinRows(this.#cells, layout, row, { rows: layout.rows, ...size, ...agreed });
    this.#size = size;
    this.#stride = layout.stride;
    this.#own = row * layout.stride + HEAD_CELLS;
    this.#plane = planeCells(size);
    this.#places = new Int32Array(size.hashes);
    this.#sums = new Float64Array(size.hashes);
  }

  /** Names the key that the calls after it are about. */
  locate(key: LimitKey): void {
    const { slots } = this.#size;
    const places = this.#places;
    const hash = this.#hash;
    hash.read(key);
    // Cell 0 of a plane is its epoch.
    for (let i = 0; i < places.length; i += 1) {
      places[i] = 1 + i * slots + scaled(hash.first + Math.imul(i, hash.second), slots);
    }
  }

  /** Adds to the key in the own row. Counters stop at the ends of their range. */
  add(plane: number, by: number): void {
    const cells = this.#cells;
    const places = this.#places;
    const start = this.#own + plane * this.#plane;
    for (let i = 0; i < places.length; i += 1) {
      const at = start + (places[i] as number);
      const now = cells[at] as number; // nobody else writes it
      Atomics.add(cells, at, by > 0 ? Math.min(by, MOST - now) : Math.max(by, -MOST - now));
    }
  }

  /** The key's count over all rows whose plane is of this epoch; never negative. */
  estimate(plane: number, epoch: number): number {
    const cells = this.#cells;
    const places = this.#places;
    const sums = this.#sums.fill(0);
    for (let start = HEAD_CELLS + plane * this.#plane; start < cells.length; start += this.#stride) {
      if (Atomics.load(cells, start) !== epoch) continue;
      for (let i = 0; i < places.length; i += 1) {
        sums[i] = (sums[i] as number) + Atomics.load(cells, start + (places[i] as number));
      }
    }
    let least = sums[0] as number;
    for (let i = 1; i < sums.length; i += 1) least = Math.min(least, sums[i] as number);
    return Math.max(0, least);
  }

  /** The epoch of a plane in the own row; 0 in new memory. */
  epochOf(plane: number): number {
    return Atomics.load(this.#cells, this.#own + plane * this.#plane);
  }

  /** Empties a plane of the own row, which is of this epoch from then on. */
  begin(plane: number, epoch: number): void {
    const { hashes, slots } = this.#size;
    const start = this.#own + plane * this.#plane;
    this.#cells.fill(0, start + 1, start + 1 + hashes * slots);
    Atomics.store(this.#cells, start, epoch);
  }
}

function layoutOf(options: SketchOptions, size: SketchSize): RowLayout {
  return rowLayout(options.rows ?? 1, HEAD_CELLS + size.planes * planeCells(size));
}

function planeCells({ hashes, slots }: SketchSize): number {
  return 1 + hashes * slots;
}

/** A number from 0 to `slots` - 1, after the 32 bits have been mixed so that each of them counts. */
function scaled(bits: number, slots: number): number {
  let h = bits ^ (bits >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return Math.trunc(((h ^ (h >>> 16)) >>> 0) * slots * 2 ** -32);
}
