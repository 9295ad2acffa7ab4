/**
 * Finds and cuts lines in a block of field lines: `name ":" OWS value OWS CRLF`, one after another.
 *
 * The block was validated byte by byte before (http1/field-scan.ts), so colon and CRLF are where they must be and
 * nothing is checked again. What the lines mean is the business of header-map.ts.
 */
import { isBlank } from './validate.ts';

/** Four numbers per field: name start, name end, value start, value end. */
export function indexFields(block: string): number[] {
  const offsets: number[] = [];
  let at = 0;
  while (at < block.length) {
    const colon = block.indexOf(':', at);
    const end = block.indexOf('\r\n', colon);
    let from = colon + 1;
    let to = end;
    while (from < to && isBlank(block.charCodeAt(from))) from++;
    while (to > from && isBlank(block.charCodeAt(to - 1))) to--;
    offsets.push(at, colon, from, to);
    at = end + 2;
  }
  return offsets;
}

/** The block without the lines whose starts and ends are given, ascending. */
export function cutLines(block: string, lines: readonly number[]): string {
  let out = '';
  let kept = 0;
  for (let at = 0; at < lines.length; at += 2) {
    out += block.slice(kept, lines[at]);
    kept = lines[at + 1] as number;
  }
  return out + block.slice(kept);
}

/** True when `name` is `lower` but for case. */
export function isSameName(name: string, lower: string): boolean {
  return name.length === lower.length && (name === lower || name.toLowerCase() === lower);
}
