/**
 * What threads that count in the same memory must agree on: the sizes, and the secret of their hashes.
 *
 * Rows are of the same size and there is nothing beside them, so whoever clears the row of a dead thread needs to know nothing
 * about what is in it. Therefore each row begins with a copy; the one in the first row decides, and if that is cleared, it is
 * restored from another.
 */
import { KeyHash } from './key-hash.ts';
import type { RowLayout } from './row-memory.ts';

/** Cells that a row begins with: two of the secret, then sizes. */
export const HEAD_CELLS = 16;

/**
 * Joins the threads that use this memory, or is the first of them: `sizes` are positive integers, in the same order in every thread.
 *
 * @throws RangeError when others use it with other sizes.
 */
export function joinRows(
  cells: Int32Array,
  layout: RowLayout,
  row: number,
  sizes: Readonly<Record<string, number>>,
): KeyHash {
  for (const [i, [name, value]] of Object.entries(sizes).entries()) {
    const known = settle(cells, layout, 2 + i, value);
    if (known === value) continue;
    throw new RangeError(
      `buffer is in use with ${name} ${known}, got ${value}: all threads must give the same options`,
    );
  }
  const [first = 1, second = 1] = crypto.getRandomValues(new Int32Array(2));
  const secret = [settle(cells, layout, 0, first || 1), settle(cells, layout, 1, second || 1)] as const;
  const head = [...secret, ...Object.values(sizes)];
  for (const [i, value] of head.entries()) Atomics.store(cells, row * layout.stride + i, value);
  return new KeyHash(...secret);
}

/** The value that a cell of the head has in all rows; `proposal` where no row has one. */
function settle(cells: Int32Array, { rows, stride }: RowLayout, at: number, proposal: number): number {
  let known = 0;
  for (let row = 0; row < rows && known === 0; row += 1) known = Atomics.load(cells, row * stride + at);
  const value = known === 0 ? proposal : known;
  // Of several that begin at the same moment one decides.
  return Atomics.compareExchange(cells, at, 0, value) || value;
}
