/**
 * Which fields the encoder puts into the dynamic table.
 *
 * A field that comes again as it was costs one octet from then on. Values that differ each time would push those out,
 * and secrets must not be guessable by what they are compressed to (RFC 7541 section 7.1).
 */

/** `table`: added; `literal`: written as it is; `never`: so by every intermediary too. */
export type Indexing = 'table' | 'literal' | 'never';

/** Shorter cookies could be guessed piece by piece. */
const MIN_INDEXED_COOKIE = 20;

const POLICY: ReadonlyMap<string, Indexing> = new Map<string, Indexing>([
  ['authorization', 'never'],
  ['proxy-authorization', 'never'],
  ['set-cookie', 'literal'],
  [':path', 'literal'],
  ['age', 'literal'],
  ['content-length', 'literal'],
  ['content-range', 'literal'],
  ['etag', 'literal'],
  ['expires', 'literal'],
  ['if-match', 'literal'],
  ['if-modified-since', 'literal'],
  ['if-none-match', 'literal'],
  ['if-range', 'literal'],
  ['if-unmodified-since', 'literal'],
  ['last-modified', 'literal'],
  ['location', 'literal'],
  ['range', 'literal'],
  ['traceparent', 'literal'],
  ['x-request-id', 'literal'],
]);

/** The way of a field that is in no table yet. `date` is indexed: one entry serves all responses of its second. */
export function indexingOf(name: string, value: string): Indexing {
  if (name === 'cookie') return value.length < MIN_INDEXED_COOKIE ? 'never' : 'table';
  return POLICY.get(name) ?? 'table';
}
