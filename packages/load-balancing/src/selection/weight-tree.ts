/**
 * Weighted drawing without replacement, on a Fenwick tree of the weights.
 *
 * Imagine the backends side by side on a line, each as long as its weight: `find` tells whose stretch a point lies
 * in, `take` removes a stretch and moves the rest together, `restore` puts all of them back. O(log n) each, without
 * allocation, and exact: sums of weights are integers.
 */

const MAX_INT32 = 0x7fffffff;

/** Positions with weights of at least 1. */
export class WeightTree {
  readonly #weights: Float64Array;
  /** Entry i holds the sum of the (i & -i) weights that end with the i-th, counting from 1. */
  readonly #sums: Float64Array;
  readonly #taken: Uint32Array;
  readonly #topStep: number;
  #takenCount = 0;
  #total = 0;

  constructor(weights: Float64Array) {
    const { length } = weights;
    this.#weights = weights;
    this.#sums = new Float64Array(length + 1);
    this.#taken = new Uint32Array(length);
    this.#topStep = length === 0 ? 0 : 1 << (31 - Math.clz32(length));
    for (let i = 1; i <= length; i += 1) {
      const sum = (this.#sums[i] as number) + (weights[i - 1] as number);
      this.#sums[i] = sum;
      const parent = i + (i & -i);
      if (parent <= length) this.#sums[parent] = (this.#sums[parent] as number) + sum;
      this.#total += weights[i - 1] as number;
    }
  }

  /** Sum of the weights that have not been taken; 0 when there are none left. */
  get total(): number {
    // An integer of the engine where it can be one: handing out others takes an object on the heap.
    return this.#total <= MAX_INT32 ? this.#total | 0 : this.#total;
  }

  /** The position whose stretch holds the point, an integer from 0 to total - 1. */
  find(point: number): number {
    const sums = this.#sums;
    let position = 0;
    let left = point;
    for (let step = this.#topStep; step > 0; step >>= 1) {
      const next = position + step;
      if (next >= sums.length || (sums[next] as number) > left) continue;
      position = next;
      left -= sums[next] as number;
    }
    return position;
  }

  /** The position whose stretch holds the point, as if this one, which has not been taken, were not there; from 0 to total - weight - 1. */
  findOther(position: number, point: number): number {
    return this.find(point < this.#before(position) ? point : point + (this.#weights[position] as number));
  }

  /** Removes a position that has not been taken yet. */
  take(position: number): void {
    this.#taken[this.#takenCount] = position;
    this.#takenCount += 1;
    this.#add(position, -(this.#weights[position] as number));
  }

  /** Puts back all that was taken. */
  restore(): void {
    while (this.#takenCount > 0) {
      this.#takenCount -= 1;
      const position = this.#taken[this.#takenCount] as number;
      this.#add(position, this.#weights[position] as number);
    }
  }

  /** Where the stretch of a position begins. */
  #before(position: number): number {
    let sum = 0;
    for (let i = position; i > 0; i -= i & -i) sum += this.#sums[i] as number;
    return sum;
  }

  #add(position: number, weight: number): void {
    this.#total += weight;
    for (let i = position + 1; i < this.#sums.length; i += i & -i) {
      this.#sums[i] = (this.#sums[i] as number) + weight;
    }
  }
}
