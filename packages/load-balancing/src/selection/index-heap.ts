/**
 * A binary heap of list positions, smallest key first, equal keys by position.
 *
 * Keys live outside, in an array indexed by position; a key must not change while its position is in the heap.
 * Memory is taken once, so pushing and popping allocate nothing.
 */

/** Positions ordered by `keys[position]`. */
export class IndexHeap {
  readonly #keys: Float64Array;
  readonly #items: Uint32Array;
  #size = 0;

  constructor(keys: Float64Array) {
    this.#keys = keys;
    this.#items = new Uint32Array(keys.length);
  }

  /** How many positions are in the heap. */
  get size(): number {
    return this.#size;
  }

  /** The position with the smallest key. Only for a heap that is not empty. */
  peek(): number {
    return this.#items[0] as number;
  }

  /** Adds a position that is not in the heap. O(log n). */
  push(item: number): void {
    const items = this.#items;
    let hole = this.#size;
    this.#size += 1;
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      const above = items[parent] as number;
      if (!this.#precedes(item, above)) break;
      items[hole] = above;
      hole = parent;
    }
    items[hole] = item;
  }

  /** Removes and returns the position with the smallest key. Only for a heap that is not empty. O(log n). */
  pop(): number {
    const items = this.#items;
    const top = items[0] as number;
    this.#size -= 1;
    const size = this.#size;
    const moved = items[size] as number;
    let hole = 0;
    for (let child = 1; child < size; child = 2 * hole + 1) {
      if (child + 1 < size && this.#precedes(items[child + 1] as number, items[child] as number)) child += 1;
      const below = items[child] as number;
      if (!this.#precedes(below, moved)) break;
      items[hole] = below;
      hole = child;
    }
    items[hole] = moved;
    return top;
  }

  #precedes(a: number, b: number): boolean {
    const left = this.#keys[a] as number;
    const right = this.#keys[b] as number;
    return left < right || (left === right && a < b);
  }
}
