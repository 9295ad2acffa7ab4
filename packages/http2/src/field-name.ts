/**
 * What kind of field a received name stands for, and whether it may be received at all (RFC 9113 sections 8.2 and 8.3).
 *
 * Names come in lower case and repeat all the time, mostly as the same string of the HPACK tables: each is judged once.
 */
import { nameBit, TOKEN_BYTES } from '@cirque/http';
import { STATIC_NAMES } from './hpack/static-table.ts';

export type FieldKind =
  | 'plain'
  | 'pseudo'
  | 'host'
  | 'cookie'
  | 'content-length'
  | 'te'
  /** Of one connection, but not of its framing: a proxy strips it. */
  | 'hop-by-hop'
  /** Of a connection of HTTP/1: makes a message malformed. */
  | 'connection'
  /** Not a lower-case token. */
  | 'invalid';

/** A name that was judged. */
export interface FieldName {
  readonly kind: FieldKind;
  /** Its bit in a HeaderMap. */
  readonly bit: number;
}

const SPECIAL: ReadonlyMap<string, FieldKind> = new Map<string, FieldKind>([
  [':method', 'pseudo'],
  [':scheme', 'pseudo'],
  [':authority', 'pseudo'],
  [':path', 'pseudo'],
  [':protocol', 'pseudo'],
  [':status', 'pseudo'],
  ['host', 'host'],
  ['cookie', 'cookie'],
  ['content-length', 'content-length'],
  ['te', 'te'],
  ['trailer', 'hop-by-hop'],
  ['proxy-authenticate', 'hop-by-hop'],
  ['proxy-authorization', 'hop-by-hop'],
  ['http2-settings', 'hop-by-hop'],
  ['connection', 'connection'],
  ['keep-alive', 'connection'],
  ['proxy-connection', 'connection'],
  ['transfer-encoding', 'connection'],
  ['upgrade', 'connection'],
]);

const MAX_KNOWN = 1_000;
const MAX_KNOWN_LENGTH = 64;

let known = new Map<string, FieldName>();

/** Judges a name. */
export function fieldName(name: string): FieldName {
  return known.get(name) ?? learn(name);
}

function learn(name: string): FieldName {
  const kind = SPECIAL.get(name) ?? (isLowerToken(name) ? 'plain' : 'invalid');
  const judged: FieldName = { kind, bit: nameBit(name.length, name.charCodeAt(0)) };
  // Names that somebody makes up are forgotten together.
  if (known.size >= MAX_KNOWN) known = new Map();
  if (name.length <= MAX_KNOWN_LENGTH) known.set(name, judged);
  return judged;
}

function isLowerToken(name: string): boolean {
  for (let at = 0; at < name.length; at++) {
    const code = name.charCodeAt(at);
    if (TOKEN_BYTES[code] !== 1 || (code >= 0x41 && code <= 0x5a)) return false;
  }
  return name.length > 0;
}

for (const name of STATIC_NAMES) if (name !== '') fieldName(name);
