/**
 * The content codings known here, by the names of their algorithms, and the tokens they have in HTTP.
 */

/** An algorithm, with Pingora's name. The content coding of `brotli` is spelt `br`. */
export type Algorithm = 'gzip' | 'brotli' | 'zstd';

/** All of them, the cheapest for the same size first; measured, see the README. */
export const ALGORITHMS: readonly Algorithm[] = ['zstd', 'brotli', 'gzip'];

/** Content coding tokens (RFC 9110 section 8.4.1, RFC 7932, RFC 8878). */
export const CODING_OF: Readonly<Record<Algorithm, string>> = { gzip: 'gzip', brotli: 'br', zstd: 'zstd' };

const ALGORITHM_OF: ReadonlyMap<string, Algorithm> = new Map<string, Algorithm>([
  ['gzip', 'gzip'],
  ['x-gzip', 'gzip'],
  ['br', 'brotli'],
  ['zstd', 'zstd'],
]);

/** The algorithm of a lower-case content coding; undefined when it is not known here. */
export function algorithmOf(coding: string): Algorithm | undefined {
  return ALGORITHM_OF.get(coding);
}
