/**
 * Bodies whose every byte follows from the number of their request, so that a byte of another one, or of another place,
 * is noticed wherever it turns up.
 */

/** Bytes shown of a place that is wrong. */
const SHOWN_BYTES = 24;

/** The body of this number and length. A shorter one is its beginning. */
export function knownBody(id: number, length: number): Buffer {
  const words = new Uint32Array(Math.ceil(length / 4));
  const own = Math.imul(id + 1, 0x9e37_79b1);
  for (let at = 0; at < words.length; at++) words[at] = Math.imul(own ^ at, 0x85eb_ca6b) ^ (own >>> 13);
  return Buffer.from(words.buffer, 0, length);
}

/** Compares what comes with what should. */
export class BodyCheck {
  /** What was wrong first. */
  problem: string | undefined;
  readonly #expected: Buffer;
  #bytes = 0;

  constructor(id: number, length: number) {
    this.#expected = knownBody(id, length);
  }

  /** Bytes so far. */
  get bytes(): number {
    return this.#bytes;
  }

  push(chunk: Buffer): void {
    const start = this.#bytes;
    const end = start + chunk.length;
    this.#bytes = end;
    if (this.problem !== undefined) return;
    const expected = this.#expected;
    if (end > expected.length) this.problem = `${end} bytes of a body of ${expected.length}`;
    else if (!chunk.equals(expected.subarray(start, end))) this.problem = difference(chunk, expected, start);
  }

  /** Nothing more comes. */
  end(): void {
    const missing = this.#expected.length - this.#bytes;
    if (missing > 0) this.problem ??= `${missing} bytes of ${this.#expected.length} are missing`;
  }
}

function difference(chunk: Buffer, expected: Buffer, start: number): string {
  let at = 0;
  while (chunk[at] === expected[start + at]) at++;
  const found = chunk.subarray(at, at + SHOWN_BYTES);
  const wanted = expected.subarray(start + at, start + at + SHOWN_BYTES);
  const text = JSON.stringify(found.toString('latin1'));
  return `foreign bytes at ${start + at} of ${expected.length}: ${found.toString('hex')} (${text}) instead of ${wanted.toString('hex')}`;
}
