/**
 * Replays bytes to a parser in every way a network may deliver them.
 *
 * A codec has to give the same result whether a message arrives whole, byte by byte or cut anywhere, and must leave
 * alone what follows it. Chunks are scribbled over after each call, so that a parser which keeps one is found out.
 */
import { SeededRandom } from './seeded-random.ts';

/** One way of delivering the same bytes. */
export interface Feeding {
  /** For test names: `whole`, `byte by byte`, `random cuts, seed 3`, `whole, with trailing bytes`. */
  readonly name: string;
  readonly chunks: readonly Buffer[];
  /** What was put behind the message; empty except in the feedings with trailing bytes. */
  readonly trailing: Buffer;
}

export interface FeedingOptions {
  /** How many random cuttings, seeded 1, 2, 3 and so on. Default 8. */
  randomCuts?: number;
  /** Adds feedings with these bytes behind the message. Default: none. */
  trailing?: string | Uint8Array;
}

/** Latin-1 for text, as everything on an HTTP/1 wire. */
export function toBytes(bytes: string | Uint8Array): Buffer {
  return typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : Buffer.from(bytes);
}

/** All feedings of the bytes: for `it.each(feedings(message))('parse: $name', ...)`. */
export function feedings(bytes: string | Uint8Array, options: FeedingOptions = {}): Feeding[] {
  const { randomCuts = 8, trailing = '' } = options;
  const message = toBytes(bytes);
  const result = deliveries(message, randomCuts).map(([name, chunks]) => ({ name, chunks, trailing: Buffer.alloc(0) }));
  const tail = toBytes(trailing);
  if (tail.length === 0) return result;
  const longer = Buffer.concat([message, tail]);
  const extra = deliveries(longer, randomCuts).map(([name, chunks]) => ({
    name: `${name}, with trailing bytes`,
    chunks,
    trailing: tail,
  }));
  return [...result, ...extra];
}

function deliveries(bytes: Buffer, randomCuts: number): [string, Buffer[]][] {
  const result: [string, Buffer[]][] = [
    ['whole', [bytes]],
    ['byte by byte', byteByByte(bytes)],
  ];
  for (let seed = 1; seed <= randomCuts; seed += 1)
    result.push([`random cuts, seed ${seed}`, cutAtRandom(bytes, seed)]);
  return result;
}

/** One chunk per byte. */
export function byteByByte(bytes: string | Uint8Array): Buffer[] {
  return Array.from(toBytes(bytes), (byte) => Buffer.of(byte));
}

/** Cut in two or more at the given offsets, which must ascend: `cutAt('abcd', 1, 3)` is a, bc, d. */
export function cutAt(bytes: string | Uint8Array, ...offsets: number[]): Buffer[] {
  const whole = toBytes(bytes);
  const edges = [0, ...offsets, whole.length];
  return edges.slice(1).map((end, i) => {
    const start = edges[i] as number;
    if (!(Number.isInteger(end) && end >= start && end <= whole.length)) {
      throw new RangeError(`offsets must ascend from 0 to ${whole.length}, got ${offsets.join(', ')}`);
    }
    return whole.subarray(start, end);
  });
}

/** Chunks of random lengths, never empty; short ones are as likely as long ones. */
export function cutAtRandom(bytes: string | Uint8Array, seed: number): Buffer[] {
  const whole = toBytes(bytes);
  const random = new SeededRandom(seed);
  const chunks: Buffer[] = [];
  for (let start = 0; start < whole.length; ) {
    const longest = 2 ** random.int(0, Math.ceil(Math.log2(whole.length + 1)));
    const end = Math.min(whole.length, start + random.int(1, longest));
    chunks.push(whole.subarray(start, end));
    start = end;
  }
  return chunks;
}

/**
 * Gives each chunk to `sink` as a copy and overwrites the copy after the call, or after the promise that the call
 * returned: a chunk is valid only during the call.
 */
export async function feed(chunks: Iterable<Uint8Array>, sink: (chunk: Buffer) => unknown): Promise<void> {
  for (const chunk of chunks) {
    const copy = Buffer.from(chunk);
    await sink(copy);
    copy.fill(0xdb);
  }
}

/** As `feed`, in one go, for sinks that are synchronous. */
export function feedSync(chunks: Iterable<Uint8Array>, sink: (chunk: Buffer) => void): void {
  for (const chunk of chunks) {
    const copy = Buffer.from(chunk);
    sink(copy);
    copy.fill(0xdb);
  }
}
