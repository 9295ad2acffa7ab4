/**
 * Memory for numbers that several threads write at once, divided into rows: each thread writes one row only and reads all.
 *
 * So nobody waits for anybody, and what a thread that died had counted can be cleared without touching the others'. A
 * row begins at a cache line of its own. What is in a row is the business of those who ask for it.
 */

/** Where counters live, and which part of them is written here. */
export interface RowOptions {
  /** How many threads write. An integer from 1 to 1,024; default 1. */
  readonly rows?: number | undefined;
  /** Which of them this one is, from 0. Two threads must not write the same row. Default 0. */
  readonly row?: number | undefined;
  /**
   * Memory that all the threads have, zeroed when it is new, with at least as many bytes as the static method `bytes`
   * says. Default memory of its own, which is enough for one thread.
   */
  readonly buffer?: SharedArrayBuffer | ArrayBuffer | undefined;
}

/** Cells in a cache line of 64 bytes. */
const LINE = 16;
const MAX_ROWS = 1_024;
const MAX_BYTES = 2 ** 30;

/** How the memory is divided. Nothing is beside the rows, and zeroes are a row that has counted nothing. */
export interface RowLayout {
  /** Cells of 4 bytes from the beginning of one row to that of the next. */
  readonly stride: number;
  readonly rows: number;
}

/**
 * Rounds up to whole cache lines.
 *
 * @throws RangeError when `rows` is no number of rows, or all of it is more than a gibibyte.
 */
export function rowLayout(rows: number, cells: number): RowLayout {
  checkInteger('rows', rows, 1, MAX_ROWS);
  const layout = { stride: Math.ceil(cells / LINE) * LINE, rows };
  if (layoutBytes(layout) > MAX_BYTES) {
    throw new RangeError(`${layoutBytes(layout)} bytes of counters are too many: at most ${MAX_BYTES} are possible`);
  }
  return layout;
}

/** What a buffer must have. */
export function layoutBytes(layout: RowLayout): number {
  return 4 * layout.rows * layout.stride;
}

/**
 * The cells of a buffer, or of a new one.
 *
 * @throws TypeError for what is no buffer, RangeError for one that is too small or a `row` that does not exist.
 */
export function rowCells(layout: RowLayout, options: RowOptions): Int32Array {
  const { buffer = new ArrayBuffer(layoutBytes(layout)), row = 0 } = options;
  checkInteger('row', row, 0, layout.rows - 1);
  if (!(buffer instanceof ArrayBuffer || buffer instanceof SharedArrayBuffer)) {
    throw new TypeError(`buffer must be a SharedArrayBuffer or an ArrayBuffer, got ${String(buffer)}`);
  }
  if (buffer.byteLength < layoutBytes(layout)) {
    throw new RangeError(
      `buffer must have at least ${layoutBytes(layout)} bytes for ${layout.rows} rows, got ${buffer.byteLength}; the static method bytes(options) says how many`,
    );
  }
  return new Int32Array(buffer, 0, layoutBytes(layout) / 4);
}

/** Throws RangeError, naming the option, unless the value is an integer within the bounds. */
export function checkInteger(option: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new RangeError(`${option} must be an integer from ${least} to ${most}, got ${String(value)}`);
}
