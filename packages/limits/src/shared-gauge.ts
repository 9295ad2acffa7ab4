/**
 * One number that several threads raise and lower, such as open connections, and its total.
 *
 * Exact: each thread adds to a cell of its own, the total is the sum of the cells.
 */
import { layoutBytes, type RowOptions, rowCells, rowLayout } from './row-memory.ts';

/** Like {@link RowOptions}; here `rows` and `row` must be given. */
export interface SharedGaugeOptions extends RowOptions {
  readonly rows: number;
  readonly row: number;
}

/**
 * A number shared by threads.
 *
 * A thread that replaces one which has died calls `reset` first: what the dead one held is free again. Each cell counts up to
 * 2,147,483,647.
 */
export class SharedGauge {
  readonly #cells: Int32Array;
  readonly #stride: number;
  readonly #own: number;

  /** Throws TypeError or RangeError, naming the option, for values that cannot work. Changes nothing in the buffer. */
  constructor(options: SharedGaugeOptions) {
    const layout = rowLayout(options.rows, 1);
    this.#cells = rowCells(layout, options);
    this.#stride = layout.stride;
    this.#own = options.row * layout.stride;
  }

  /** How many bytes a buffer for so many rows has: 64 each. */
  static bytes(rows: number): number {
    return layoutBytes(rowLayout(rows, 1));
  }

  /** Adds an integer, negative ones too, to the own row. Returns the total after it, over all rows. */
  add(n: number): number {
    Atomics.add(this.#cells, this.#own, n);
    return this.total;
  }

  /**
   * The sum over all rows. Of threads that add at the same time at least one sees what all of them have added, so a limit
   * that is compared with the result of `add` is never passed unnoticed.
   */
  get total(): number {
    const cells = this.#cells;
    let sum = 0;
    for (let at = 0; at < cells.length; at += this.#stride) sum += Atomics.load(cells, at);
    return sum;
  }

  /** What this thread has added. */
  get own(): number {
    return Atomics.load(this.#cells, this.#own);
  }

  /** Sets the own row to 0. */
  reset(): void {
    Atomics.store(this.#cells, this.#own, 0);
  }
}
