/**
 * The options of response compression, completed and checked once, when the module is built.
 */
import { ALGORITHMS, type Algorithm } from './algorithm.ts';
import { assertInteger, assertKnown } from './check-options.ts';
import { isCompressible } from './policy.ts';

/** Options of `compression()`; every one has a default. */
export interface CompressionOptions {
  /** Level 1 to 9, 0 is off. Default 5: one step more costs a third more time for 1 % of size. */
  gzip?: number;
  /** Level 1 to 11, 0 is off. Default 4: one step more costs twice the time for some 5 % of size. */
  brotli?: number;
  /** Level 1 to 19, 0 is off. Default 3. */
  zstd?: number;
  /** Decides between codings that the client wants equally; those left out come last. Default zstd, brotli, gzip. */
  prefer?: readonly Algorithm[];
  /** Bodies known to be smaller are left as they are. Default 1,024: they fit into one packet anyhow. */
  minBytes?: number;
  /** Which media types are worth it; gets the value of Content-Type. Default {@link isCompressible}. */
  compressible?: (contentType: string) => boolean;
  /** Leaves a strong ETag as it is, for origins that refuse `If-Match` with a weak one. Default false. */
  preserveEtag?: boolean;
  /** Place among the modules, higher runs first. Default -16,384: behind whatever changes a body. */
  order?: number;
}

/** Levels of all algorithms; 0 is off. */
export type Levels = Readonly<Record<Algorithm, number>>;

/** Options without gaps. */
export interface CompressionSettings {
  readonly levels: Levels;
  readonly preference: readonly Algorithm[];
  /** The preference without what is switched off. */
  readonly offered: readonly Algorithm[];
  readonly minBytes: number;
  readonly compressible: (contentType: string) => boolean;
  readonly preserveEtag: boolean;
  readonly order: number;
}

/** The highest levels; above 19 zstd needs windows that clients may refuse (RFC 9659). */
const MAX_LEVELS: Levels = { gzip: 9, brotli: 11, zstd: 19 };
const NAMES = ['gzip', 'brotli', 'zstd', 'prefer', 'minBytes', 'compressible', 'preserveEtag', 'order'];
const OWNER = 'compression';

/** @throws TypeError or RangeError naming the option, its value and what would be right. */
export function resolveCompressionOptions(options: CompressionOptions = {}): CompressionSettings {
  assertKnown(OWNER, options, NAMES);
  const { gzip = 5, brotli = 4, zstd = 3, prefer = [], minBytes = 1_024, order = -16_384 } = options;
  const levels: Levels = { gzip, brotli, zstd };
  for (const algorithm of ALGORITHMS) assertLevel(algorithm, levels[algorithm]);
  assertInteger(OWNER, 'minBytes', minBytes, 0, Number.MAX_SAFE_INTEGER);
  assertInteger(OWNER, 'order', order, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
  for (const algorithm of prefer) assertAlgorithm(algorithm);
  const preference = [...new Set([...prefer, ...ALGORITHMS])];
  const { compressible = isCompressible, preserveEtag = false } = options;
  const offered = offeredBy(levels, preference);
  return { levels, preference, offered, minBytes, compressible, preserveEtag, order };
}

/** The algorithms that have a level, in the order of preference. */
export function offeredBy(levels: Levels, preference: readonly Algorithm[]): readonly Algorithm[] {
  return preference.filter((algorithm) => levels[algorithm] > 0);
}

/** @throws RangeError */
export function assertLevel(algorithm: Algorithm, level: number): void {
  assertInteger(OWNER, `level of ${algorithm}`, level, 0, MAX_LEVELS[algorithm]);
}

/** @throws TypeError */
export function assertAlgorithm(algorithm: unknown): void {
  if (ALGORITHMS.includes(algorithm as Algorithm)) return;
  throw new TypeError(`unknown algorithm ${String(algorithm)} for ${OWNER}: expected one of ${ALGORITHMS.join(', ')}`);
}
