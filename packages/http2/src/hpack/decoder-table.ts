/**
 * The decoder's dynamic table (RFC 7541 section 2.3.2): a ring of names and values, the oldest go first.
 *
 * Strings are kept, so that a field that comes again as an index costs no new text.
 */

/** What every entry costs besides its octets (RFC 7541 section 4.1). */
export const ENTRY_OVERHEAD = 32;

const FIRST_SLOTS = 16;

/** Nothing is allocated before the first entry. */
export class DecoderTable {
  #names: string[] = [];
  #values: string[] = [];
  #slots = 0;
  /** Entries ever added; the newest lives in the slot of this number less one. */
  #added = 0;
  #count = 0;
  #size = 0;
  #maxSize: number;

  constructor(maxSize: number) {
    this.#maxSize = maxSize;
  }

  get count(): number {
    return this.#count;
  }

  /** Octets in use, overhead included. */
  get size(): number {
    return this.#size;
  }

  get maxSize(): number {
    return this.#maxSize;
  }

  /** Entries that no longer fit are dropped. */
  set maxSize(bytes: number) {
    this.#maxSize = bytes;
    this.#evict(bytes);
  }

  /** The name of the entry that `age` others are newer than; `age` must be below {@link count}. */
  name(age: number): string {
    return this.#names[(this.#added - 1 - age) & (this.#slots - 1)] as string;
  }

  /** The value of the entry that `age` others are newer than; `age` must be below {@link count}. */
  value(age: number): string {
    return this.#values[(this.#added - 1 - age) & (this.#slots - 1)] as string;
  }

  /** Adds the newest entry; one that is larger than the table empties it and is not kept (RFC 7541 section 4.4). */
  add(name: string, value: string): void {
    const size = name.length + value.length + ENTRY_OVERHEAD;
    this.#evict(this.#maxSize - size);
    if (size > this.#maxSize) return;
    if (this.#count === this.#slots) this.#grow();
    const slot = this.#added & (this.#slots - 1);
    this.#names[slot] = name;
    this.#values[slot] = value;
    this.#added++;
    this.#count++;
    this.#size += size;
  }

  #evict(limit: number): void {
    while (this.#size > limit && this.#count > 0) {
      const slot = (this.#added - this.#count) & (this.#slots - 1);
      this.#size -= (this.#names[slot] as string).length + (this.#values[slot] as string).length + ENTRY_OVERHEAD;
      this.#names[slot] = '';
      this.#values[slot] = '';
      this.#count--;
    }
  }

  #grow(): void {
    const slots = this.#slots === 0 ? FIRST_SLOTS : this.#slots * 2;
    const names = new Array<string>(slots).fill('');
    const values = new Array<string>(slots).fill('');
    for (let age = 0; age < this.#count; age++) {
      const slot = (this.#added - 1 - age) & (slots - 1);
      names[slot] = this.name(age);
      values[slot] = this.value(age);
    }
    this.#names = names;
    this.#values = values;
    this.#slots = slots;
  }
}
