/**
 * Reads a Range field against a known length (RFC 9110 section 14.1 and 14.2).
 *
 * Only ascending sets without overlap are served, and no more ranges than asked for: anything else costs the server more
 * than the client gains, and may be ignored by section 14.2.
 */
import { trimBlanks } from './validate.ts';

/** Bytes from `start` up to, not including, `end`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** `ignored`: send the whole. `unsatisfiable`: 416. */
export type RangeSet = readonly ByteRange[] | 'ignored' | 'unsatisfiable';

const RANGE_SPEC = /^(\d*)-(\d*)$/;

/**
 * The ranges that a Range value asks of a representation of `length` bytes. Ranges that lie behind its end are left out;
 * none left is `unsatisfiable`. Malformed values, other units, more than `maxRanges`, overlaps: `ignored`.
 */
export function parseRangeSet(value: string, length: number, maxRanges: number): RangeSet {
  const equals = value.indexOf('=');
  if (equals < 0 || value.slice(0, equals).toLowerCase() !== 'bytes') return 'ignored';
  const ranges: ByteRange[] = [];
  let count = 0;
  let last = 0;
  for (const part of value.slice(equals + 1).split(',')) {
    const spec = trimBlanks(part);
    if (spec === '') continue;
    count += 1;
    const range = resolveRange(spec, length);
    if (range === undefined || count > maxRanges) return 'ignored';
    if (range.start >= range.end) continue;
    if (range.start < last) return 'ignored';
    last = range.end;
    ranges.push(range);
  }
  return ranges.length > 0 ? ranges : 'unsatisfiable';
}

/** Undefined when it is malformed; an empty range when it lies outside. Numbers may be of any size. */
function resolveRange(spec: string, length: number): ByteRange | undefined {
  const [, first, last] = RANGE_SPEC.exec(spec) ?? [];
  if (first === undefined || last === undefined || (first === '' && last === '')) return undefined;
  if (first === '') return { start: Math.max(0, length - Number(last)), end: length };
  const start = Number(first);
  if (last === '') return { start, end: length };
  const end = Number(last) + 1;
  return end > start ? { start, end: Math.min(end, length) } : undefined;
}
