/**
 * What `$1` and so on stand for in replacements and redirects.
 */

/**
 * The text with `$1` to `$99`, `$0` (the whole match) and `$$` (a dollar) replaced. A group that took no part is empty; without
 * a match every group is.
 */
export function expandGroups(text: string, match: readonly (string | undefined)[] | undefined): string {
  return text.replace(/\$(?:(\d{1,2})|\$)/g, (_, digits: string | undefined) =>
    digits === undefined ? '$' : (match?.[Number(digits)] ?? ''),
  );
}
