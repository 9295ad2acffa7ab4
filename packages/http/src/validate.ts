/**
 * Which bytes may stand where in a message head (RFC 9110 section 5, RFC 9112 sections 3 and 5).
 *
 * Byte tables for parsers and checks for text given by users. Pure; no other file defines a character class.
 */
import { isIPv6 } from 'node:net';
import { CirqueError } from '@cirque/error';

function table(accepts: (byte: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => (accepts(byte) ? 1 : 0));
}

function charset(text: string): (byte: number) => boolean {
  const codes = new Set(Array.from(text, (char) => char.charCodeAt(0)));
  return (byte) => codes.has(byte);
}

const isAlphanumeric = (byte: number): boolean =>
  (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a);
const isTokenMark = charset("!#$%&'*+-.^_`|~");
const isHostMark = charset("-._~!$&'()*+,;=");

/** tchar of RFC 9110 section 5.6.2: field names, methods, protocol names. */
export const TOKEN_BYTES: Uint8Array = table((byte) => isAlphanumeric(byte) || isTokenMark(byte));

/** Bytes of a field value: HTAB, SP, visible ASCII and obs-text; never CR, LF or NUL (RFC 9110 section 5.5). */
export const VALUE_BYTES: Uint8Array = table((byte) => byte === 0x09 || (byte >= 0x20 && byte !== 0x7f));

/** Bytes of a request target that pass unchanged: visible ASCII without the fragment mark. */
export const TARGET_BYTES: Uint8Array = table((byte) => byte > 0x20 && byte < 0x7f && byte !== 0x23);

/** reg-name and IPv4 bytes of a host but for percent-encoded ones (RFC 3986 section 3.2.2). */
const HOST_BYTES: Uint8Array = table((byte) => isAlphanumeric(byte) || isHostMark(byte));

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are exactly the characters to refuse.
const NOT_VALUE = /[\x00-\x08\x0a-\x1f\x7f]|[^\x00-\xff]/;

/** True when `text` is a token (field name, method). */
export function isToken(text: string): boolean {
  return typeof text === 'string' && TOKEN.test(text);
}

/** True when `text` may be sent as a field value: latin1 without control characters. */
export function isFieldValue(text: string): boolean {
  return typeof text === 'string' && !NOT_VALUE.test(text);
}

/** @throws CirqueError InvalidHTTPHeader naming the field and what is wrong with it. */
export function assertField(name: string, value: string): void {
  if (!isToken(name)) {
    throw new CirqueError('InvalidHTTPHeader', `field name ${shown(name)} is not a token (RFC 9110 section 5.1)`);
  }
  if (typeof value !== 'string') {
    throw new CirqueError('InvalidHTTPHeader', `value of ${name} is ${shown(value)}: expected a string`);
  }
  if (NOT_VALUE.test(value)) {
    throw new CirqueError(
      'InvalidHTTPHeader',
      `value of ${name} ${shown(value)} holds a control character or one above U+00FF; encode it first`,
    );
  }
}

function shown(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value.slice(0, 128)) : `of type ${typeof value}`;
}

/** The text without SP and HTAB at its ends (OWS, RFC 9110 section 5.6.3); `trim` would take more. */
export function trimBlanks(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return start === 0 && end === text.length ? text : text.slice(start, end);
}

/** True for SP and HTAB. */
export function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/**
 * True when `text` is `uri-host [ ":" port ]` without userinfo (RFC 9112 section 3.2).
 * The empty host is valid there and accepted here. Zones (`%eth0`) and future address forms are not.
 */
export function isHostValue(text: string): boolean {
  const end = text.charCodeAt(0) === 0x5b ? literalEnd(text) : nameEnd(text);
  if (end === text.length) return true;
  return end >= 0 && text.charCodeAt(end) === 0x3a && isPort(text, end + 1);
}

/** Where an IPv6 address in brackets ends; -1 when it is none. */
function literalEnd(text: string): number {
  const end = text.indexOf(']');
  const address = text.slice(1, end);
  return end > 0 && !address.includes('%') && isIPv6(address) ? end + 1 : -1;
}

/** Where a name or IPv4 address ends: before a colon or at the end of the text; -1 when it holds what it must not. */
function nameEnd(text: string): number {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (HOST_BYTES[code] === 1) continue;
    if (code === 0x3a) return at;
    if (code !== 0x25 || !isHexDigit(text.charCodeAt(at + 1)) || !isHexDigit(text.charCodeAt(at + 2))) return -1;
  }
  return text.length;
}

function isHexDigit(code: number): boolean {
  const lower = code | 0x20;
  return (code >= 0x30 && code <= 0x39) || (lower >= 0x61 && lower <= 0x66);
}

function isPort(text: string, from: number): boolean {
  if (text.length - from > 5) return false;
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code < 0x30 || code > 0x39) return false;
  }
  return Number(text.slice(from) || '0') <= 65_535;
}

/**
 * Reads a Content-Length value: 1*DIGIT and nothing else, at most 15 digits so that it stays exact.
 * Answers -1 for anything else (RFC 9110 section 8.6).
 */
export function parseContentLength(text: string): number {
  const digits = text.length;
  if (digits === 0 || digits > 15) return -1;
  let value = 0;
  for (let at = 0; at < digits; at++) {
    const digit = text.charCodeAt(at) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}
