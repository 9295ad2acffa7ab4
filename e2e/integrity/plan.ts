/**
 * What one request of the soak is to be like, drawn from a seed. The origin gets it in the target, so that both ends know.
 */
import type { SeededRandom } from '@cirque/testing';

export interface Plan {
  readonly id: number;
  /** Bytes of the response. */
  readonly size: number;
  /** Bytes of the request body; 0: a GET. */
  readonly upload: number;
  /** The bodies are announced by Content-Length. */
  readonly requestLength: boolean;
  readonly responseLength: boolean;
  /** The origin sends the upload back while it comes; `size` is that of the upload then. */
  readonly echo: boolean;
  /** At the end of a response without Content-Length. */
  readonly trailers: boolean;
  readonly filter: 'none' | 'identity' | 'async';
  /** The response head waits for a phase. */
  readonly lateHead: boolean;
  readonly gzip: boolean;
  readonly reading: 'fast' | 'slow' | 'pauses';
  /** The client leaves after so many bytes; -1: it does not. */
  readonly cancelAt: number;
  /** The origin breaks the response off after so many bytes; -1: it does not. */
  readonly breakAt: number;
  /** Of the pieces that the origin writes. */
  readonly seed: number;
}

/** Where buffers and frames end. */
const EDGES = [8_192, 16_384, 65_536, 131_072];
const LARGEST = 1_048_576;
const PAD = 'abcdefghijklmnopqrstuvwxyz0123456789'.repeat(80);

/** Added to the number of a request for the body that goes up. */
export const UPLOAD = 0x4000_0000;

/** A plan; `simple`: a GET that nobody breaks off, as can be pipelined. */
export function planOf(random: SeededRandom, id: number, simple: boolean): Plan {
  const upload = simple || random.chance(0.6) ? 0 : Math.max(1, sizeOf(random));
  const echo = upload > 0 && random.chance(0.5);
  const size = echo ? upload : sizeOf(random);
  const end = simple ? 0.5 : random.next();
  const responseLength = random.chance(0.6);
  return {
    id,
    size,
    upload,
    echo,
    requestLength: random.chance(0.5),
    responseLength,
    trailers: !responseLength && random.chance(0.6),
    filter: random.chance(0.7) ? 'none' : random.pick(['identity', 'async']),
    lateHead: random.chance(0.1),
    gzip: random.chance(0.15),
    reading: random.chance(0.6) ? 'fast' : random.pick(['slow', 'pauses']),
    cancelAt: end < 0.05 ? random.int(0, size) : -1,
    breakAt: end >= 0.95 && size > 0 && !echo ? random.int(0, size - 1) : -1,
    seed: random.uint32(),
  };
}

function sizeOf(random: SeededRandom): number {
  const kind = random.next();
  if (kind < 0.05) return 0;
  if (kind < 0.25) return random.int(1, 2_000);
  if (kind < 0.85) return random.pick(EDGES) + random.int(-600, 600);
  return random.chance(0.7) ? random.int(1, 300_000) : random.int(1, LARGEST);
}

/** Field values of many lengths, so that heads have them. */
export function padOf(id: number): string {
  const start = Math.imul(id + 1, 0x9e37_79b1) >>> 0;
  return `${id}-${PAD.slice(start % 36, (start % 36) + (start % 5 === 0 ? start % 2_700 : start % 90))}`;
}

export function targetOf(plan: Plan): string {
  return `/?plan=${encodeURIComponent(JSON.stringify(plan))}`;
}

export function planIn(target: string): Plan {
  const text = new URL(target, 'http://origin.test').searchParams.get('plan') ?? '{}';
  return JSON.parse(text) as Plan;
}
