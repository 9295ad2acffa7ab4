/**
 * The static table of RFC 7541 appendix A, by index for the decoder and by name for the encoder.
 */

/** Entries of the static table; dynamic entries are numbered from the next index on. */
export const STATIC_ENTRIES = 61;

const TABLE: readonly (readonly [name: string, value?: string])[] = [
  [':authority'],
  [':method', 'GET'],
  [':method', 'POST'],
  [':path', '/'],
  [':path', '/index.html'],
  [':scheme', 'http'],
  [':scheme', 'https'],
  [':status', '200'],
  [':status', '204'],
  [':status', '206'],
  [':status', '304'],
  [':status', '400'],
  [':status', '404'],
  [':status', '500'],
  ['accept-charset'],
  ['accept-encoding', 'gzip, deflate'],
  ['accept-language'],
  ['accept-ranges'],
  ['accept'],
  ['access-control-allow-origin'],
  ['age'],
  ['allow'],
  ['authorization'],
  ['cache-control'],
  ['content-disposition'],
  ['content-encoding'],
  ['content-language'],
  ['content-length'],
  ['content-location'],
  ['content-range'],
  ['content-type'],
  ['cookie'],
  ['date'],
  ['etag'],
  ['expect'],
  ['expires'],
  ['from'],
  ['host'],
  ['if-match'],
  ['if-modified-since'],
  ['if-none-match'],
  ['if-range'],
  ['if-unmodified-since'],
  ['last-modified'],
  ['link'],
  ['location'],
  ['max-forwards'],
  ['proxy-authenticate'],
  ['proxy-authorization'],
  ['range'],
  ['referer'],
  ['refresh'],
  ['retry-after'],
  ['server'],
  ['set-cookie'],
  ['strict-transport-security'],
  ['transfer-encoding'],
  ['user-agent'],
  ['vary'],
  ['via'],
  ['www-authenticate'],
];

/** Names by index; index 0 is not used. */
export const STATIC_NAMES: readonly string[] = ['', ...TABLE.map(([name]) => name)];

/** Values by index; index 0 is not used. */
export const STATIC_VALUES: readonly string[] = ['', ...TABLE.map(([, value]) => value ?? '')];

/** The first index of each name. */
export const STATIC_INDEX: ReadonlyMap<string, number> = new Map(
  TABLE.map(([name], at): [string, number] => [name, at + 1]).reverse(),
);

/** The index of the entry that has this name and this value, looked for from the first index of the name; 0: none. */
export function staticMatch(name: string, value: string, first: number): number {
  for (let index = first; index <= STATIC_ENTRIES && STATIC_NAMES[index] === name; index++) {
    if (STATIC_VALUES[index] === value) return index;
  }
  return 0;
}
