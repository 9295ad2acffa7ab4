/**
 * Compares first bytes with what a protocol begins with.
 */

/**
 * Whether the bytes begin with the prefix; `'more'` when there are too few to say.
 *
 * @param prefix text counts as Latin-1.
 */
export function startsWith(seen: Uint8Array, prefix: string | Uint8Array): boolean | 'more' {
  const wanted = typeof prefix === 'string' ? Buffer.from(prefix, 'latin1') : prefix;
  const length = Math.min(seen.length, wanted.length);
  for (let at = 0; at < length; at += 1) if (seen[at] !== wanted[at]) return false;
  return seen.length >= wanted.length ? true : 'more';
}
