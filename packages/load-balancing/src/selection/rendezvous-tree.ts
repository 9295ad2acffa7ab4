/**
 * The tree that rendezvous hashing descends: at each node the child with the highest random weight for the key.
 *
 * Up to `flatUpTo` backends it is a root with a leaf for each. Beyond that it is a trie of the hashes of the addresses, 64 children
 * to a node ("skeleton", Wang and Ravishankar 2009); a node's weight is the sum of those below. Its shape, and the seed
 * of each node, follow from the addresses alone, so a backend that joins or leaves changes nothing but the weights on its path.
 *
 * Nodes are numbers, children lie side by side behind their parents. A taken backend weighs nothing: keys go where they
 * would go if it were not in the list.
 */
import { type AddressHashes, mix } from './address-hashes.ts';
import { STEP_ITEMS, type Steps } from './steps.ts';

const DIGIT_BITS = 6;
const DIGIT_MASK = (1 << DIGIT_BITS) - 1;
const NO_PARENT = -1;
const TWO_TO_32 = 0x100000000;

export class RendezvousTree {
  readonly #weights: Float64Array;
  /** By node. */
  readonly #sums: Float64Array;
  readonly #seeds: Int32Array;
  readonly #parents: Int32Array;
  /** First child; of a leaf the position. */
  readonly #firsts: Uint32Array;
  /** Number of children; 0 for a leaf. */
  readonly #counts: Uint32Array;
  /** Leaf of each position. */
  readonly #leaves: Uint32Array;
  #nodes = 1;
  readonly #taken: Uint32Array;
  #takenCount = 0;

  private constructor(weights: Float64Array) {
    const { length } = weights;
    // Every node but the leaves has two children or more.
    const nodes = Math.max(1, 2 * length);
    this.#weights = weights;
    this.#sums = new Float64Array(nodes);
    this.#seeds = new Int32Array(nodes);
    this.#parents = new Int32Array(nodes).fill(NO_PARENT);
    this.#firsts = new Uint32Array(nodes);
    this.#counts = new Uint32Array(nodes);
    this.#leaves = new Uint32Array(length);
    this.#taken = new Uint32Array(length);
  }

  static *steps(weights: Float64Array, hashes: AddressHashes, flatUpTo: number): Steps<RendezvousTree> {
    const tree = new RendezvousTree(weights);
    const order = yield* hashes.order();
    if (order.length > 0) yield* tree.#grow(order, hashes, flatUpTo);
    for (let node = tree.#nodes - 1; node > 0; node -= 1) {
      if (node % STEP_ITEMS === 0) yield;
      const parent = tree.#parents[node] as number;
      tree.#sums[parent] = (tree.#sums[parent] as number) + (tree.#sums[node] as number);
    }
    return tree;
  }

  /** The position that a key of this 64-bit hash belongs to; -1 when all are taken. */
  find(high: number, low: number): number {
    if (this.#sums[0] === 0) return -1;
    let node = 0;
    while (this.#counts[node] !== 0) node = this.#bestChild(node, high, low);
    return this.#firsts[node] as number;
  }

  /** Leaves out a position that has not been taken yet. */
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

  /** Each child draws -ln(u) / weight with a u of its own for this key, and the smallest wins: in proportion to the weights. */
  #bestChild(node: number, high: number, low: number): number {
    const first = this.#firsts[node] as number;
    const end = first + (this.#counts[node] as number);
    let best = first;
    let smallest = Number.POSITIVE_INFINITY;
    for (let child = first; child < end; child += 1) {
      const weight = this.#sums[child] as number;
      const seed = this.#seeds[child] as number;
      const drawn = ((mix(mix(low ^ seed) + (high ^ seed)) >>> 0) + 0.5) / TWO_TO_32;
      // -ln(u) is at least 1 - u: mostly that is enough to see that it cannot win. Of those without weight nobody can.
      if (1 - drawn >= smallest * weight || weight === 0) continue;
      const score = -Math.log(drawn) / weight;
      if (score >= smallest) continue;
      smallest = score;
      best = child;
    }
    return best;
  }

  #add(position: number, weight: number): void {
    for (let node = this.#leaves[position] as number; node !== NO_PARENT; node = this.#parents[node] as number) {
      this.#sums[node] = (this.#sums[node] as number) + weight;
    }
  }

  /** Gives each node its children, beginning with the root; new nodes queue up behind. */
  *#grow(order: Uint32Array, hashes: AddressHashes, flatUpTo: number): Steps<void> {
    const begins = new Uint32Array(this.#sums.length);
    const ends = new Uint32Array(this.#sums.length);
    ends[0] = order.length;
    const isFlat = order.length <= flatUpTo;
    let work = 0;
    for (let node = 0; node < this.#nodes; node += 1) {
      const begin = begins[node] as number;
      const end = ends[node] as number;
      if (end - begin === 1) {
        this.#becomeLeaf(node, order[begin] as number);
      } else {
        const first = hashes.high[order[begin] as number] as number;
        const last = hashes.high[order[end - 1] as number] as number;
        const digit = isFlat || first === last ? -1 : Math.trunc(Math.clz32(first ^ last) / DIGIT_BITS);
        this.#split(node, digit, order, hashes, begins, ends);
      }
      work += end - begin;
      if (work >= STEP_ITEMS) {
        work = 0;
        yield;
      }
    }
  }

  #becomeLeaf(node: number, position: number): void {
    this.#firsts[node] = position;
    this.#leaves[position] = node;
    this.#sums[node] = this.#weights[position] as number;
  }

  /** Makes a child for each value of the digit, or with digit -1 for each backend. */
  #split(
    node: number,
    digit: number,
    order: Uint32Array,
    { high, low }: AddressHashes,
    begins: Uint32Array,
    ends: Uint32Array,
  ): void {
    const shift = Math.max(0, 32 - DIGIT_BITS * (digit + 1));
    const end = ends[node] as number;
    let before = -1;
    this.#firsts[node] = this.#nodes;
    for (let i = begins[node] as number; i < end; i += 1) {
      const position = order[i] as number;
      const hash = high[position] as number;
      const value = digit === -1 ? i : (hash >>> shift) & DIGIT_MASK;
      if (value !== before) {
        const child = this.#nodes;
        this.#nodes += 1;
        this.#parents[child] = node;
        this.#seeds[child] =
          digit === -1 ? mix(hash) ^ (low[position] as number) : mix((hash >>> shift) ^ mix(digit + 1));
        begins[child] = i;
        this.#counts[node] = (this.#counts[node] as number) + 1;
        before = value;
      }
      ends[this.#nodes - 1] = i + 1;
    }
  }
}
