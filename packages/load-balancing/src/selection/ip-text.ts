/**
 * Reads IP addresses out of text into bytes that are there already: without allocation, for keys that are read at each choice.
 *
 * Accepts what `node:net` calls an address. Source: RFC 4291 section 2.2, RFC 4007 section 11 (zones, which are left out).
 */

const DOT = 0x2e;
const COLON = 0x3a;
const HYPHEN = 0x2d;
const PERCENT = 0x25;

/** Writes four bytes from `at` on; false when the text from start to end is no IPv4 address. */
export function readIpv4(text: string, start: number, end: number, bytes: Uint8Array, at: number): boolean {
  let i = start;
  for (let part = 0; part < 4; part += 1) {
    if (part > 0 && (i >= end || text.charCodeAt(i++) !== DOT)) return false;
    const first = i;
    let value = 0;
    for (; i < end && i - first < 3 && isDecimal(text.charCodeAt(i)); i += 1)
      value = value * 10 + text.charCodeAt(i) - 48;
    const hasLeadingZero = i - first > 1 && text.charCodeAt(first) === 48;
    if (i === first || value > 255 || hasLeadingZero) return false;
    bytes[at + part] = value;
  }
  return i === end;
}

/** Writes sixteen bytes; false when the text from start to end is no IPv6 address, with or without a zone. */
export function readIpv6(text: string, start: number, end: number, bytes: Uint8Array): boolean {
  let i = start;
  let at = 0;
  /** Where `::` stands. */
  let gap = -1;
  if (isColon(text, i, end)) {
    if (!isColon(text, i + 1, end)) return false;
    gap = 0;
    i += 2;
  }
  while (i < end && text.charCodeAt(i) !== PERCENT) {
    const length = hexDigits(text, i, end);
    if (text.charCodeAt(i + length) === DOT && i + length < end) {
      const stop = zoneStart(text, i, end);
      if (at > 12 || !readIpv4(text, i, stop, bytes, at)) return false;
      at += 4;
      i = stop;
      break;
    }
    if (length === 0 || length > 4 || at > 14) return false;
    writeGroup(text, i, length, bytes, at);
    at += 2;
    i += length;
    if (i >= end || text.charCodeAt(i) === PERCENT) break;
    if (!isColon(text, i, end)) return false;
    i += 1;
    if (isColon(text, i, end)) {
      if (gap !== -1) return false;
      gap = at;
      i += 1;
    } else if (i >= end || text.charCodeAt(i) === PERCENT) {
      return false;
    }
  }
  return isZone(text, i, end) && fillGap(bytes, gap, at);
}

/** Moves what stands behind `::` to the end. */
function fillGap(bytes: Uint8Array, gap: number, length: number): boolean {
  if (gap === -1) return length === 16;
  if (length > 14) return false;
  const behind = 16 - (length - gap);
  bytes.copyWithin(behind, gap, length);
  bytes.fill(0, gap, behind);
  return true;
}

function writeGroup(text: string, start: number, length: number, bytes: Uint8Array, at: number): void {
  let value = 0;
  for (let i = start; i < start + length; i += 1) value = value * 16 + hexValue(text.charCodeAt(i));
  bytes[at] = value >> 8;
  bytes[at + 1] = value & 0xff;
}

function hexDigits(text: string, start: number, end: number): number {
  let i = start;
  while (i < end && hexValue(text.charCodeAt(i)) !== -1) i += 1;
  return i - start;
}

function zoneStart(text: string, start: number, end: number): number {
  let i = start;
  while (i < end && text.charCodeAt(i) !== PERCENT) i += 1;
  return i;
}

/** True for nothing, or a percent sign and a name of letters, digits, dots, colons and hyphens. */
function isZone(text: string, start: number, end: number): boolean {
  if (start >= end) return true;
  for (let i = start + 1; i < end; i += 1) {
    const code = text.charCodeAt(i);
    const lower = code | 0x20;
    const isLetter = lower >= 97 && lower <= 122;
    if (!isLetter && !isDecimal(code) && code !== DOT && code !== COLON && code !== HYPHEN) return false;
  }
  return start + 1 < end;
}

function isColon(text: string, i: number, end: number): boolean {
  return i < end && text.charCodeAt(i) === COLON;
}

function isDecimal(code: number): boolean {
  return code >= 48 && code <= 57;
}

function hexValue(code: number): number {
  if (isDecimal(code)) return code - 48;
  const lower = code | 0x20;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}
