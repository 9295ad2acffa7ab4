/**
 * The encoder's dynamic table: entries in order of age, and for each name its entries from the newest on.
 *
 * Holds no more than the other side's table does, so its memory is bounded by the table size.
 */
import { ENTRY_OVERHEAD } from './decoder-table.ts';

/** Entries of one name that are looked at: a name with ever new values must not make each field slower. */
const MAX_LOOKS = 16;

/** A pair of name and value; also the links of both orders. */
interface Entry {
  readonly name: string;
  readonly value: string;
  readonly size: number;
  /** Counts entries of this table from 1. */
  readonly number: number;
  /** The next newer entry of the table. */
  next: Entry | undefined;
  /** The next older and the next newer entry of the same name. */
  older: Entry | undefined;
  newer: Entry | undefined;
}

export class EncoderTable {
  /** The newest entry of each name. */
  readonly #byName = new Map<string, Entry>();
  #oldest: Entry | undefined;
  #newest: Entry | undefined;
  #added = 0;
  #size = 0;
  #maxSize: number;

  constructor(maxSize: number) {
    this.#maxSize = maxSize;
  }

  get maxSize(): number {
    return this.#maxSize;
  }

  /** Entries that no longer fit are dropped. */
  set maxSize(bytes: number) {
    this.#maxSize = bytes;
    this.#evict(bytes);
  }

  /** Octets in use, overhead included. */
  get size(): number {
    return this.#size;
  }

  /** How many entries are newer than the one of this name and value, plus one; 0: there is none. */
  find(name: string, value: string): number {
    let entry = this.#byName.get(name);
    for (let looks = 0; entry !== undefined && looks < MAX_LOOKS; looks++) {
      if (entry.value === value) return this.#added - entry.number + 1;
      entry = entry.older;
    }
    return 0;
  }

  /** How many entries are newer than the newest one of this name, plus one; 0: there is none. */
  findName(name: string): number {
    const entry = this.#byName.get(name);
    return entry === undefined ? 0 : this.#added - entry.number + 1;
  }

  /** Adds the newest entry. The caller made sure that its size is within {@link maxSize}. */
  add(name: string, value: string): void {
    const size = entrySize(name, value);
    this.#evict(this.#maxSize - size);
    const older = this.#byName.get(name);
    const entry: Entry = { name, value, size, number: ++this.#added, next: undefined, older, newer: undefined };
    if (older !== undefined) older.newer = entry;
    this.#byName.set(name, entry);
    if (this.#newest === undefined) this.#oldest = entry;
    else this.#newest.next = entry;
    this.#newest = entry;
    this.#size += size;
  }

  #evict(limit: number): void {
    while (this.#size > limit && this.#oldest !== undefined) {
      const entry = this.#oldest;
      this.#size -= entry.size;
      this.#oldest = entry.next;
      if (entry.next === undefined) this.#newest = undefined;
      if (entry.newer === undefined) this.#byName.delete(entry.name);
      else entry.newer.older = undefined;
    }
  }
}

/** The size of an entry (RFC 7541 section 4.1); names and values are latin1. */
export function entrySize(name: string, value: string): number {
  return name.length + value.length + ENTRY_OVERHEAD;
}
