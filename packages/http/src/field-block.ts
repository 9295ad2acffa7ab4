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

/**
 * The block with some fields changed: per field `undefined` leaves the line as it came, `false` takes it out, a string
 * is its new value.
 */
export function replaceLines(
  block: string,
  offsets: readonly number[],
  edits: readonly (string | false | undefined)[],
): string {
  let out = '';
  let kept = 0;
  for (let field = 0; field < edits.length; field++) {
    const edit = edits[field];
    if (edit === undefined) continue;
    const start = offsets[field * 4] as number;
    out += block.slice(kept, start);
    if (edit !== false) out += `${block.slice(start, offsets[field * 4 + 1])}: ${edit}\r\n`;
    kept = field * 4 + 4 < offsets.length ? (offsets[field * 4 + 4] as number) : block.length;
  }
  return out + block.slice(kept);
}

/** True when `block[start, end)` is `lower` but for the case of ASCII letters. */
export function isNamedAt(block: string, start: number, end: number, lower: string): boolean {
  if (end - start !== lower.length) return false;
  for (let at = 0; at < lower.length; at++) {
    const code = block.charCodeAt(start + at);
    const wanted = lower.charCodeAt(at);
    if (code !== wanted && !(code >= 0x41 && code <= 0x5a && code + 0x20 === wanted)) return false;
  }
  return true;
}

/** True when `name` is `lower` but for case. */
export function isSameName(name: string, lower: string): boolean {
  return name.length === lower.length && (name === lower || name.toLowerCase() === lower);
}

/**
 * One of 32 bits for a name of that length and first character, whatever its case. A head has some ten names, so a
 * name that is not in it is nearly always told apart without a search.
 */
export function nameBit(length: number, firstCode: number): number {
  return 1 << ((length * 5 + (firstCode | 0x20)) & 31);
}

/** True when the first occurrence of `name` in the block is the name of a field. */
export function startsLine(block: string, name: string): boolean {
  const at = block.indexOf(name);
  return at >= 0 && block.charCodeAt(at + name.length) === 0x3a && (at === 0 || block.charCodeAt(at - 1) === 0x0a);
}

/** Value of the field whose name is the first occurrence of `name` in the block; undefined when that is no name. */
export function valueOfSpelt(block: string, name: string): string | undefined {
  const at = block.indexOf(name);
  if (at < 0 || (at > 0 && block.charCodeAt(at - 1) !== 0x0a)) return undefined;
  let from = at + name.length;
  if (block.charCodeAt(from) !== 0x3a) return undefined;
  from += 1;
  let to = block.indexOf('\r', from);
  while (from < to && isBlank(block.charCodeAt(from))) from++;
  while (to > from && isBlank(block.charCodeAt(to - 1))) to--;
  return block.slice(from, to);
}
