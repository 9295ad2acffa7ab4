/**
 * A binary heap of list positions, smallest key first.
 *
 * Keys live outside, in arrays indexed by position; whoever changes the key of a position that is in the heap calls
 * `update` before anything else. Memory is taken once, so nothing here allocates.
 */

const OUTSIDE = -1;

/** Positions ordered by `keys[position]`, then by `ties[position]` if there are ties, then by position. */
export class IndexHeap {
  readonly #keys: Float64Array;
  readonly #ties: Float64Array;
  readonly #items: Uint32Array;
  /** Place of each position in `items`. */
  readonly #places: Int32Array;
  #size = 0;

  constructor(keys: Float64Array, ties: Float64Array = keys) {
    this.#keys = keys;
    this.#ties = ties;
    this.#items = new Uint32Array(keys.length);
    this.#places = new Int32Array(keys.length).fill(OUTSIDE);
  }

  /** How many positions are in the heap. */
  get size(): number {
    return this.#size;
  }

  /** Whether the position is in the heap. */
  has(item: number): boolean {
    return this.#places[item] !== OUTSIDE;
  }

  /** The position with the smallest key. Only for a heap that is not empty. */
  peek(): number {
    return this.#items[0] as number;
  }

  /** The position at a place from 0 to size - 1; 0 is that of the smallest key, the others are in no useful order. */
  at(place: number): number {
    return this.#items[place] as number;
  }

  /** Adds a position that is not in the heap. O(log n). */
  push(item: number): void {
    this.#size += 1;
    this.#rise(this.#size - 1, item);
  }

  /** Removes and returns the position with the smallest key. Only for a heap that is not empty. O(log n). */
  pop(): number {
    const top = this.#items[0] as number;
    this.remove(top);
    return top;
  }

  /** Removes a position that is in the heap. O(log n). */
  remove(item: number): void {
    const hole = this.#places[item] as number;
    this.#places[item] = OUTSIDE;
    this.#size -= 1;
    if (hole === this.#size) return;
    this.#settle(hole, this.#items[this.#size] as number);
  }

  /** Puts a position that is in the heap where its changed key belongs. O(log n). */
  update(item: number): void {
    this.#settle(this.#places[item] as number, item);
  }

  #settle(hole: number, item: number): void {
    const mustRise = hole > 0 && this.#precedes(item, this.#items[(hole - 1) >> 1] as number);
    if (mustRise) this.#rise(hole, item);
    else this.#sink(hole, item);
  }

  #rise(from: number, item: number): void {
    let hole = from;
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      const above = this.#items[parent] as number;
      if (!this.#precedes(item, above)) break;
      this.#put(hole, above);
      hole = parent;
    }
    this.#put(hole, item);
  }

  #sink(from: number, item: number): void {
    const items = this.#items;
    const size = this.#size;
    let hole = from;
    for (let child = 2 * hole + 1; child < size; child = 2 * hole + 1) {
      if (child + 1 < size && this.#precedes(items[child + 1] as number, items[child] as number)) child += 1;
      const below = items[child] as number;
      if (!this.#precedes(below, item)) break;
      this.#put(hole, below);
      hole = child;
    }
    this.#put(hole, item);
  }

  #put(place: number, item: number): void {
    this.#items[place] = item;
    this.#places[item] = place;
  }

  #precedes(a: number, b: number): boolean {
    const left = this.#keys[a] as number;
    const right = this.#keys[b] as number;
    if (left !== right) return left < right;
    const leftTie = this.#ties[a] as number;
    const rightTie = this.#ties[b] as number;
    return leftTie < rightTie || (leftTie === rightTie && a < b);
  }
}
