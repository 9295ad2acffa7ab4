/**
 * A token for each backend, and the way back: from a token that a client shows to an address.
 *
 * A token is HMAC-SHA-256 over the address (without secret: SHA-256), as base64url. Its first part finds the entry, which
 * tells a client nothing that it did not send; the rest is compared in constant time.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

/** Whatever has an address: a backend. */
export interface Addressed {
  readonly address: string;
}

/** Characters of a token that find its entry, 72 bits; those that prove it follow. */
const HANDLE_LENGTH = 12;
const TOKEN = /^[A-Za-z0-9_-]{43}$/;
/** Tokens that are made in one go; a few milliseconds. */
const SLICE = 2_000;

interface Entry {
  readonly address: string;
  readonly token: string;
  readonly handle: string;
  /** The last list in which it was seen. */
  round: number;
}

/** Knows the tokens of the backends that it has met. */
export class BackendTokens {
  readonly #secret: string | Uint8Array | undefined;
  readonly #byAddress = new Map<string, Entry>();
  readonly #byHandle = new Map<string, Entry>();
  /** The list that was gone through last, or is being gone through. */
  #list: Iterable<Addressed> | undefined;
  #listSize = 0;
  #rest: Iterator<Addressed> | undefined;
  #round = 0;

  constructor(secret: string | Uint8Array | undefined) {
    this.#secret = secret;
  }

  /** How many backends are known. */
  get size(): number {
    return this.#byAddress.size;
  }

  /** The token of a backend. Made once. */
  tokenOf(address: string): string {
    return this.#meet(address).token;
  }

  /**
   * The address that a token stands for; undefined for what is none, and for that of a backend that is not in the list.
   * A list is gone through once, when a token comes that is not known yet: long ones in slices, between which the
   * event loop runs; it is told apart by its identity, as snapshots of a balancer are.
   */
  addressOf(token: string, list: Iterable<Addressed>): string | undefined {
    if (!TOKEN.test(token)) return undefined;
    const known = this.#find(token);
    const hasStale = this.#byAddress.size > 2 * this.#listSize + SLICE;
    if (this.#list !== list && (known === undefined || hasStale)) {
      this.#goThrough(list);
      return this.#find(token)?.address;
    }
    return known?.address;
  }

  #find(token: string): Entry | undefined {
    const entry = this.#byHandle.get(token.slice(0, HANDLE_LENGTH));
    if (entry === undefined || !timingSafeEqual(Buffer.from(entry.token), Buffer.from(token))) return undefined;
    return entry;
  }

  #meet(address: string): Entry {
    const known = this.#byAddress.get(address);
    if (known !== undefined) return known;
    const hash = this.#secret === undefined ? createHash('sha256') : createHmac('sha256', this.#secret);
    const token = hash.update(address).digest('base64url');
    const entry = { address, token, handle: token.slice(0, HANDLE_LENGTH), round: this.#round };
    this.#byAddress.set(address, entry);
    this.#byHandle.set(entry.handle, entry);
    return entry;
  }

  #goThrough(list: Iterable<Addressed>): void {
    const isUnderWay = this.#rest !== undefined;
    this.#list = list;
    this.#listSize = 0;
    this.#round += 1;
    this.#rest = list[Symbol.iterator]();
    if (isUnderWay) return; // The slices go on, with the new list.
    this.#slice();
  }

  readonly #slice = (): void => {
    for (let count = 0; count < SLICE; count += 1) {
      const next = this.#rest?.next();
      if (next === undefined || next.done === true) {
        this.#finish();
        return;
      }
      this.#meet(next.value.address).round = this.#round;
      this.#listSize += 1;
    }
    setImmediate(this.#slice).unref();
  };

  #finish(): void {
    this.#rest = undefined;
    if (this.#byAddress.size === this.#listSize) return;
    for (const entry of this.#byAddress.values()) {
      if (entry.round === this.#round) continue;
      this.#byAddress.delete(entry.address);
      this.#byHandle.delete(entry.handle);
    }
  }
}
