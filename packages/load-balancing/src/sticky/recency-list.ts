/**
 * A doubly linked list in the order of use. Everything takes constant time.
 *
 * The order of a Map would not do: finding its first key takes longer with each key that was removed before it.
 */

/** What a list links: an object of its user's. In one list at a time. */
export interface Recent {
  newer: this | undefined;
  older: this | undefined;
}

/** From the one that was used last to the one that was not for longest. */
export class RecencyList<Item extends Recent> {
  #newest: Item | undefined;
  #oldest: Item | undefined;

  /** The one that was not used for longest. */
  get oldest(): Item | undefined {
    return this.#oldest;
  }

  /** Puts an item that is in no list to the front. */
  add(item: Item): void {
    item.older = this.#newest;
    item.newer = undefined;
    if (this.#newest === undefined) this.#oldest = item;
    else this.#newest.newer = item;
    this.#newest = item;
  }

  /** Takes out an item of this list. */
  remove(item: Item): void {
    const { newer, older } = item;
    if (newer === undefined) this.#newest = older;
    else newer.older = older;
    if (older === undefined) this.#oldest = newer;
    else older.newer = newer;
    item.newer = undefined;
    item.older = undefined;
  }

  /** Puts an item of this list to the front. */
  touch(item: Item): void {
    if (item === this.#newest) return;
    this.remove(item);
    this.add(item);
  }

  /** Without items. */
  clear(): void {
    this.#newest = undefined;
    this.#oldest = undefined;
  }
}
