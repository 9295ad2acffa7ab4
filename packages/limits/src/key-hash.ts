/**
 * Hashes keys with a secret, so that nobody outside can make keys that share their counters with somebody else's.
 *
 * HalfSipHash-1-3 (Aumasson and Bernstein, 2012) over the UTF-16 code units of a text or the eight bytes of a number, drawn out to
 * 64 bits. Numbers and texts never mean the same key.
 */

/** What is counted by: a client's address, a tenant's number. */
export type LimitKey = string | number;

const number = new Float64Array(1);
const numberWords = new Int32Array(number.buffer);

/** Hashes with one secret. The result is in two registers, valid until the next call. */
export class KeyHash {
  readonly #secret0: number;
  readonly #secret1: number;
  readonly #state: Int32Array = new Int32Array(4);
  /** First 32 bits of the last result; for texts the HalfSipHash-1-3 of their UTF-16LE bytes. */
  first = 0;
  /** Further 32 bits of it. */
  second = 0;

  constructor(secret0: number, secret1: number) {
    this.#secret0 = secret0;
    this.#secret1 = secret1;
  }

  /** Hashes a key. Throws TypeError for what is neither text nor number. */
  read(key: LimitKey): void {
    const state = this.#state;
    state[0] = this.#secret0;
    state[1] = this.#secret1;
    state[2] = this.#secret0 ^ 0x6c796765;
    state[3] = this.#secret1 ^ 0x74656462;
    if (typeof key === 'string') absorbText(state, key);
    else if (typeof key === 'number') absorbNumber(state, key);
    else throw new TypeError(`a key must be a string or a number, got ${key === null ? 'null' : typeof key}`);
    this.first = squeeze(state, 2, 0xff);
    this.second = squeeze(state, 1, 0xdd);
  }
}

function absorbText(state: Int32Array, key: string): void {
  const even = key.length & ~1;
  for (let i = 0; i < even; i += 2) absorb(state, key.charCodeAt(i) | (key.charCodeAt(i + 1) << 16));
  const rest = even === key.length ? 0 : key.charCodeAt(even);
  absorb(state, (key.length << 25) | rest);
}

/** The last word has a length that no text has: an odd one. */
function absorbNumber(state: Int32Array, key: number): void {
  number[0] = key + 0; // -0 becomes 0
  absorb(state, numberWords[0] as number);
  absorb(state, numberWords[1] as number);
  absorb(state, 9 << 24);
}

function absorb(state: Int32Array, word: number): void {
  (state[3] as number) ^= word;
  round(state);
  (state[0] as number) ^= word;
}

function squeeze(state: Int32Array, at: number, mark: number): number {
  (state[at] as number) ^= mark;
  round(state);
  round(state);
  round(state);
  return (state[1] as number) ^ (state[3] as number);
}

function round(state: Int32Array): void {
  let a = state[0] as number;
  let b = state[1] as number;
  let c = state[2] as number;
  let d = state[3] as number;
  a = (a + b) | 0;
  b = ((b << 5) | (b >>> 27)) ^ a;
  a = (a << 16) | (a >>> 16);
  c = (c + d) | 0;
  d = ((d << 8) | (d >>> 24)) ^ c;
  a = (a + d) | 0;
  d = ((d << 7) | (d >>> 25)) ^ a;
  c = (c + b) | 0;
  b = ((b << 13) | (b >>> 19)) ^ c;
  c = (c << 16) | (c >>> 16);
  state[0] = a;
  state[1] = b;
  state[2] = c;
  state[3] = d;
}
