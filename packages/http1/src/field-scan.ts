/**
 * Reads the field lines of a head, a trailer section included: one pass over the bytes, every byte checked.
 *
 * Results are left in the registers of one {@link FieldFacts}; nothing else may run before they are consumed. Knows
 * which fields decide framing and persistence, but not what they mean: that is framing.ts and hop-by-hop.ts.
 */
import { CirqueError, type ErrorSource } from '@cirque/error';
import { latin1, nameBit, parseContentLength, TOKEN_BYTES } from '@cirque/http';

const CR = 0x0d;
const LF = 0x0a;
const SP = 0x20;
const HTAB = 0x09;
const COLON = 0x3a;
const DEL = 0x7f;

/** More bytes are needed. */
export const INCOMPLETE = -1;

/** Content-Length is absent. */
export const NO_LENGTH = -1;
/** Content-Length is there but not 1*DIGIT, or its lines differ. */
export const BAD_LENGTH = -2;

const NO_LINES: readonly number[] = [];

/** What one pass found. */
export class FieldFacts {
  /** Field lines seen. */
  count = 0;
  contentLength: number = NO_LENGTH;
  contentLengthLines = 0;
  /** False when Content-Length is spelt with leading zeros and must be rewritten. */
  contentLengthCanonical = true;
  transferEncoding: string | undefined;
  connection: string | undefined;
  keepAlive: string | undefined;
  host: string | undefined;
  hostLines = 0;
  expect: string | undefined;
  /** The name bits of all fields, for a HeaderMap. */
  names = 0;
  /** Start and end of each hop-by-hop line, relative to the first field. */
  hopLines: readonly number[] = NO_LINES;
  /** White space before a colon or a folded line was met: the text must be normalised. */
  irregular = false;

  reset(): void {
    this.count = 0;
    this.contentLength = NO_LENGTH;
    this.contentLengthLines = 0;
    this.contentLengthCanonical = true;
    this.transferEncoding = undefined;
    this.connection = undefined;
    this.keepAlive = undefined;
    this.host = undefined;
    this.hostLines = 0;
    this.expect = undefined;
    this.names = 0;
    this.hopLines = NO_LINES;
    this.irregular = false;
  }
}

/** What the scanner accepts, and whose fault the rest is. */
export interface ScanRules {
  readonly source: ErrorSource;
  readonly maxFields: number;
  /** Accept folded lines (responses, or a leniency): they set `irregular`. */
  readonly foldedLines: boolean;
  /** Accept white space before the colon (responses): it sets `irregular`. */
  readonly spaceBeforeColon: boolean;
}

/**
 * Scans from `start`, the first byte of the first field line.
 *
 * @returns the offset after the empty line, or {@link INCOMPLETE}.
 * @throws CirqueError InvalidHTTPHeader with status 400 or 431.
 */
export function scanFields(buffer: Buffer, start: number, end: number, rules: ScanRules, facts: FieldFacts): number {
  facts.reset();
  let at = start;
  let hopLines: number[] | undefined;
  for (;;) {
    if (at >= end) return INCOMPLETE;
    const lineStart = at;
    if (buffer[at] === CR) {
      if (at + 1 >= end) return INCOMPLETE;
      if (buffer[at + 1] !== LF) throw invalid(rules, 'bare CR in the header section');
      if (hopLines !== undefined) facts.hopLines = hopLines;
      return at + 2;
    }
    if (isBlank(buffer[at])) {
      if (!rules.foldedLines || facts.count === 0) throw invalid(rules, 'folded field line');
      facts.irregular = true;
    } else {
      while (at < end && TOKEN_BYTES[buffer[at] as number] === 1) at++;
      if (at >= end) return INCOMPLETE;
      const nameEnd = at;
      if (buffer[at] !== COLON) {
        at = skipSpaceBeforeColon(buffer, at, end, rules, lineStart);
        if (at >= end) return INCOMPLETE;
        facts.irregular = true;
      }
      if (nameEnd === lineStart) throw invalid(rules, 'empty field name');
      facts.count += 1;
      facts.names |= nameBit(nameEnd - lineStart, buffer[lineStart] as number);
      if (facts.count > rules.maxFields) throw tooMany(rules);
      const valueStart = at + 1;
      at = valueStart;
      at = skipValue(buffer, at, end);
      if (at + 1 >= end) return endsWell(buffer, at, end, rules);
      if (buffer[at] !== CR || buffer[at + 1] !== LF) throw badValueByte(buffer, at, rules);
      if (classify(buffer, lineStart, nameEnd, valueStart, at, facts)) {
        hopLines ??= [];
        hopLines.push(lineStart - start, at + 2 - start);
      }
      at += 2;
      continue;
    }
    at = skipValue(buffer, at, end);
    if (at + 1 >= end) return endsWell(buffer, at, end, rules);
    if (buffer[at] !== CR || buffer[at + 1] !== LF) throw badValueByte(buffer, at, rules);
    at += 2;
  }
}

/** The first byte that may not stand in a field value. Compares four at a time instead of asking a table (measured: 3x). */
function skipValue(buffer: Buffer, from: number, end: number): number {
  let at = from;
  while (at + 4 <= end) {
    const a = buffer[at] as number;
    const b = buffer[at + 1] as number;
    const c = buffer[at + 2] as number;
    const d = buffer[at + 3] as number;
    // A control character makes a difference negative; DEL and obs-text reach bit 7 when one is added: look closer.
    if (((a - SP) | (b - SP) | (c - SP) | (d - SP)) < 0) break;
    if ((((a + 1) | (b + 1) | (c + 1) | (d + 1)) & 0x80) !== 0) break;
    at += 4;
  }
  while (at < end) {
    const byte = buffer[at] as number;
    if (byte < SP ? byte !== HTAB : byte === DEL) break;
    at++;
  }
  return at;
}

function skipSpaceBeforeColon(buffer: Buffer, from: number, end: number, rules: ScanRules, lineStart: number): number {
  let at = from;
  if (at > lineStart && rules.spaceBeforeColon) while (at < end && isBlank(buffer[at])) at++;
  if (at < end && buffer[at] !== COLON) {
    const what = isBlank(buffer[at])
      ? 'white space before the colon of a field'
      : `byte ${hex(buffer[at])} in a field name`;
    throw invalid(rules, what);
  }
  return at;
}

function endsWell(buffer: Buffer, at: number, end: number, rules: ScanRules): number {
  if (at < end && buffer[at] !== CR) throw badValueByte(buffer, at, rules);
  return INCOMPLETE;
}

/** Notes the fields that matter; true when the line is hop-by-hop. One switch on the length, then a folded compare. */
function classify(
  buffer: Buffer,
  nameStart: number,
  nameEnd: number,
  from: number,
  to: number,
  facts: FieldFacts,
): boolean {
  switch (nameEnd - nameStart) {
    case 2:
      return isName(buffer, nameStart, 'te');
    case 4:
      if (isName(buffer, nameStart, 'host')) {
        facts.hostLines += 1;
        facts.host = known(buffer, from, to, HOST);
      }
      return false;
    case 6:
      if (isName(buffer, nameStart, 'expect')) facts.expect = joined(facts.expect, trimmed(buffer, from, to));
      return false;
    case 7:
      return isName(buffer, nameStart, 'upgrade') || isName(buffer, nameStart, 'trailer');
    case 10:
      if (isName(buffer, nameStart, 'connection')) {
        facts.connection = joined(facts.connection, known(buffer, from, to, CONNECTION));
        return true;
      }
      if (!isName(buffer, nameStart, 'keep-alive')) return false;
      facts.keepAlive = joined(facts.keepAlive, trimmed(buffer, from, to));
      return true;
    case 14:
      if (isName(buffer, nameStart, 'content-length')) noteLength(known(buffer, from, to, LENGTH), facts);
      else return isName(buffer, nameStart, 'http2-settings');
      return false;
    case 16:
      return isName(buffer, nameStart, 'proxy-connection');
    case 17:
      if (!isName(buffer, nameStart, 'transfer-encoding')) return false;
      facts.transferEncoding = joined(facts.transferEncoding, trimmed(buffer, from, to));
      return true;
    case 18:
      return isName(buffer, nameStart, 'proxy-authenticate');
    case 19:
      return isName(buffer, nameStart, 'proxy-authorization');
    default:
      return false;
  }
}

function noteLength(text: string, facts: FieldFacts): void {
  const length = parseContentLength(text);
  facts.contentLengthLines += 1;
  if (length < 0 || (facts.contentLengthLines > 1 && length !== facts.contentLength)) facts.contentLength = BAD_LENGTH;
  else facts.contentLength = length;
  if (text.length > 1 && text.charCodeAt(0) === 0x30) facts.contentLengthCanonical = false;
}

function isName(buffer: Buffer, at: number, lower: string): boolean {
  for (let i = 0; i < lower.length; i++) {
    const byte = buffer[at + i] as number;
    // 0x20 folds letters; the token bytes that it would also fold onto letters or '-' do not exist ('\r' is no token).
    if ((byte | 0x20) !== lower.charCodeAt(i)) return false;
  }
  return true;
}

function trimmed(buffer: Buffer, from: number, to: number): string {
  let start = from;
  let end = to;
  while (start < end && isBlank(buffer[start])) start++;
  while (end > start && isBlank(buffer[end - 1])) end--;
  return latin1(buffer, start, end);
}

/**
 * Values that clients and servers repeat all the time: the last one of a field, made a string once.
 * Making one costs 100 ns, comparing a short one 15.
 */
const HOST = { last: '' };
const CONNECTION = { last: 'keep-alive' };
const LENGTH = { last: '' };

function known(buffer: Buffer, from: number, to: number, seen: { last: string }): string {
  // One space after the colon, none at the end, is how everybody writes it.
  if (buffer[from] === SP && isText(buffer, from + 1, to, seen.last)) return seen.last;
  const text = trimmed(buffer, from, to);
  // Long ones are not worth the memory.
  if (text.length <= MAX_KNOWN) seen.last = text;
  return text;
}

const MAX_KNOWN = 64;

function isText(buffer: Buffer, from: number, to: number, text: string): boolean {
  if (to - from !== text.length) return false;
  for (let i = 0; i < text.length; i++) if (buffer[from + i] !== text.charCodeAt(i)) return false;
  return true;
}

function joined(present: string | undefined, more: string): string {
  return present === undefined ? more : `${present}, ${more}`;
}

function isBlank(byte: number | undefined): boolean {
  return byte === SP || byte === HTAB;
}

function hex(byte: number | undefined): string {
  return `0x${(byte ?? 0).toString(16).padStart(2, '0')}`;
}

function badValueByte(buffer: Buffer, at: number, rules: ScanRules): CirqueError {
  const byte = buffer[at];
  const what = byte === LF ? 'bare LF' : byte === CR ? 'bare CR' : `byte ${hex(byte)}`;
  return invalid(rules, `${what} in a field value`);
}

function invalid(rules: ScanRules, what: string): CirqueError {
  return new CirqueError('InvalidHTTPHeader', what, { source: rules.source });
}

function tooMany(rules: ScanRules): CirqueError {
  const options = rules.source === 'Downstream' ? { source: rules.source, status: 431 } : { source: rules.source };
  return new CirqueError('InvalidHTTPHeader', `more than ${rules.maxFields} field lines`, options);
}
