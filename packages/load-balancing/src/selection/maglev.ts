/**
 * Maglev hashing: the key's hash is an index into a table that says whose key it is.
 *
 * After a refusal the hash is hashed again, so the fallbacks of keys that share a backend are different ones, in proportion to the
 * weights. How the table comes about is in maglev-table.ts.
 */
import type { Backend } from '../backend.ts';
import { AddressHashes } from './address-hashes.ts';
import { Fnv64 } from './fnv.ts';
import { maglevTable } from './maglev-table.ts';
import type { Selection, SelectionFactory, SelectionKey } from './selection.ts';
import { type Steps, stepwiseFactory, weightsInSteps } from './steps.ts';

/** The table of `Maglev`. */
export interface MaglevOptions {
  /**
   * Number of entries: a prime from 251 to 16,777,213, larger than the number of backends, a hundred times as large if the
   * shares are to be right within a percent. Four bytes each. Default: the smallest of 65,537, 655,373 and 2,097,143 that is a
   * hundred times the number of backends, or else the largest. A set that grows or shrinks across 655 or 6,553 backends is
   * therefore dealt out anew; a size of your own prevents that.
   */
  readonly tableSize?: number | undefined;
}

/** So many times a hash is hashed again before the entries that follow are asked one by one: then nearly all have been refused. */
const MAX_REHASHES = 8;
/** The first two are those of the paper. */
const SIZES = [65_537, 655_373, 2_097_143] as const;
const ENTRIES_PER_BACKEND = 100;
const MIN_SIZE = 251;
const MAX_SIZE = 16_777_213;

class MaglevSelection implements Selection {
  readonly #hash = new Fnv64();
  readonly #table: Uint32Array;
  readonly #count: number;
  /** Number of the choice in which the position was offered. */
  readonly #offeredIn: Float64Array;
  #choice = 0;
  #left = 0;

  private constructor(table: Uint32Array, count: number) {
    this.#table = table;
    this.#count = count;
    this.#offeredIn = new Float64Array(count);
  }

  static *steps(backends: readonly Backend[], tableSize: number | undefined): Steps<Selection> {
    const { length } = backends;
    if (length === 0) return new MaglevSelection(new Uint32Array(0), 0);
    const size = tableSize ?? SIZES.find((entries) => entries >= ENTRIES_PER_BACKEND * length) ?? SIZES[2];
    if (length >= size) {
      throw new RangeError(`Maglev: a table of ${size} entries is too small for ${length} backends, see tableSize`);
    }
    const hashes = yield* AddressHashes.steps(backends, '');
    return new MaglevSelection(yield* maglevTable(size, yield* weightsInSteps(backends), hashes), length);
  }

  first(key: SelectionKey): number {
    this.#choice += 1;
    this.#left = this.#count;
    if (this.#left === 0) return -1;
    this.#hash.hash(key);
    return this.#offer();
  }

  next(): number {
    if (this.#left === 0) return -1;
    this.#hash.rehash();
    return this.#offer();
  }

  #offer(): number {
    const table = this.#table;
    let place = this.#hash.modulo(table.length);
    for (let tries = 1; tries < MAX_REHASHES && this.#wasOffered(place); tries += 1) {
      this.#hash.rehash();
      place = this.#hash.modulo(table.length);
    }
    while (this.#wasOffered(place)) place = place + 1 === table.length ? 0 : place + 1;
    const position = table[place] as number;
    this.#offeredIn[position] = this.#choice;
    this.#left -= 1;
    return position;
  }

  #wasOffered(place: number): boolean {
    return this.#offeredIn[this.#table[place] as number] === this.#choice;
  }
}

function isPrime(value: number): boolean {
  for (let divisor = 2; divisor * divisor <= value; divisor += 1) if (value % divisor === 0) return false;
  return true;
}

function factoryOf({ tableSize }: MaglevOptions): SelectionFactory {
  const fits = tableSize === undefined || (tableSize >= MIN_SIZE && tableSize <= MAX_SIZE && isPrime(tableSize));
  if (!(fits && (tableSize === undefined || Number.isInteger(tableSize)))) {
    throw new RangeError(`Maglev: tableSize must be a prime from ${MIN_SIZE} to ${MAX_SIZE}, got ${String(tableSize)}`);
  }
  return stepwiseFactory('Maglev', (backends) => MaglevSelection.steps(backends, tableSize));
}

/** The factory, and how to get one with another table. */
export interface MaglevFactory extends SelectionFactory {
  /** Throws RangeError for a `tableSize` that is no prime or out of range. */
  with(options: MaglevOptions): SelectionFactory;
}

/**
 * The same key goes to the same backend, in O(1), with shares that are right within a percent. When a backend joins or leaves, its keys
 * move and a few percent of the others; after a refusal no other key moves.
 */
export const Maglev: MaglevFactory = { ...factoryOf({}), with: factoryOf };
