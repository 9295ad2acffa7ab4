/**
 * Takes the fields of one block as HPACK gives them, checks each (RFC 9113 section 8.2) and writes the text of a header map.
 *
 * It never throws: a block must be decoded to its end, or HPACK is out of step. What is wrong is noted in `problem`, what
 * is too much in `tooLarge`. One collector serves a thread: its results are read before anything else is decoded.
 */
import { HeaderMap, isFieldValue, nameBit, parseContentLength } from '@cirque/http';
import { fieldName } from './field-name.ts';
import type { FieldSink } from './hpack/decoder.ts';
import type { Http2Limits } from './limits.ts';

/** What each field costs besides its text (RFC 9113 section 6.5.2). */
const FIELD_OVERHEAD = 32;
const HOST_BIT = nameBit(4, 0x68);
const COOKIE_BIT = nameBit(6, 0x63);
const NO_LINES: readonly number[] = [];

/** Values that were found good: a client repeats nearly all of its fields (measured: a third of the cost of a head). */
const MAX_KNOWN = 1_000;
const MAX_KNOWN_LENGTH = 256;
let known = new Set<string>();

/** See the file header. */
export class FieldCollector implements FieldSink {
  method: string | undefined;
  scheme: string | undefined;
  authority: string | undefined;
  path: string | undefined;
  protocol: string | undefined;
  status: string | undefined;
  /** The Host field; it is in the block only when there is no authority. */
  host: string | undefined;
  /** -1 when there is none. */
  contentLength = -1;
  /** Pseudo fields seen. */
  pseudos = 0;
  /** Why the message is malformed; the first reason counts. */
  problem: string | undefined;
  /** More fields or bytes than the limits allow. */
  tooLarge = false;
  #limits: Http2Limits | undefined;
  #fields = 0;
  #bytes = 0;
  #block = '';
  #cookie: string | undefined;
  #hopLines: number[] | undefined;
  #names = 0;
  #regular = false;

  /** Forgets the last block. */
  begin(limits: Http2Limits): void {
    this.#limits = limits;
    this.method = undefined;
    this.scheme = undefined;
    this.authority = undefined;
    this.path = undefined;
    this.protocol = undefined;
    this.status = undefined;
    this.host = undefined;
    this.contentLength = -1;
    this.pseudos = 0;
    this.problem = undefined;
    this.tooLarge = false;
    this.#fields = 0;
    this.#bytes = 0;
    this.#block = '';
    this.#cookie = undefined;
    this.#hopLines = undefined;
    this.#names = 0;
    this.#regular = false;
  }

  field(name: string, value: string): void {
    const limits = this.#limits as Http2Limits;
    this.#fields += 1;
    this.#bytes += name.length + value.length + FIELD_OVERHEAD;
    if (this.#fields > limits.maxHeaderFields || this.#bytes > limits.maxHeaderListBytes) this.tooLarge = true;
    if (this.tooLarge || this.problem !== undefined) return;
    const { kind, bit } = fieldName(name);
    if (!isGoodValue(value)) this.problem = `value of ${name} holds a control character or a blank at an end`;
    else if (kind === 'plain') this.#line(name, value, bit);
    else if (kind === 'pseudo') this.#pseudo(name, value);
    else this.#special(kind, name, value, bit);
  }

  /** The regular fields as a map. */
  headers(): HeaderMap {
    this.#startBlock();
    if (this.#cookie !== undefined) this.#block += `cookie: ${this.#cookie}\r\n`;
    return HeaderMap.fromBlock(this.#block, this.#hopLines ?? NO_LINES, this.contentLength, this.#names);
  }

  #line(name: string, value: string, bit: number): void {
    this.#startBlock();
    this.#block += `${name}: ${value}\r\n`;
    this.#names |= bit;
  }

  /** The authority becomes the first line. */
  #startBlock(): void {
    if (this.#regular) return;
    this.#regular = true;
    if (this.authority === undefined) return;
    this.#block = `host: ${this.authority}\r\n`;
    this.#names = HOST_BIT;
  }

  #pseudo(name: string, value: string): void {
    this.pseudos += 1;
    if (this.#regular) this.problem = `${name} after a regular field`;
    else if (this.#setPseudo(name, value) !== undefined) this.problem = `${name} twice`;
  }

  /** Answers the value that was there before. */
  #setPseudo(name: string, value: string): string | undefined {
    let before: string | undefined;
    switch (name) {
      case ':method':
        before = this.method;
        this.method = value;
        break;
      case ':scheme':
        before = this.scheme;
        this.scheme = value;
        break;
      case ':authority':
        before = this.authority;
        this.authority = value;
        break;
      case ':path':
        before = this.path;
        this.path = value;
        break;
      case ':protocol':
        before = this.protocol;
        this.protocol = value;
        break;
      case ':status':
        before = this.status;
        this.status = value;
        break;
    }
    return before;
  }

  #special(kind: string, name: string, value: string, bit: number): void {
    this.#startBlock();
    switch (kind) {
      case 'cookie':
        this.#cookie = this.#cookie === undefined ? value : `${this.#cookie}; ${value}`;
        this.#names |= COOKIE_BIT;
        break;
      case 'host':
        if (this.host !== undefined) this.problem = 'more than one host field';
        this.host = value;
        if (this.authority === undefined) this.#line(name, value, bit);
        break;
      case 'content-length':
        if (this.contentLength >= 0) this.problem = 'more than one content-length field';
        this.contentLength = parseContentLength(value);
        if (this.contentLength < 0) this.problem = `content-length ${shown(value)} is not a number`;
        this.#line(name, String(this.contentLength), bit);
        break;
      case 'te':
        if (value.toLowerCase() !== 'trailers') this.problem = `te ${shown(value)}: only trailers is allowed`;
        this.#hopLine(name, value, bit);
        break;
      case 'hop-by-hop':
        this.#hopLine(name, value, bit);
        break;
      case 'connection':
        this.problem = `${name} is a field of HTTP/1 connections`;
        break;
      default:
        this.problem = `field name ${shown(name)} is not a lower-case token`;
    }
  }

  #hopLine(name: string, value: string, bit: number): void {
    const start = this.#block.length;
    this.#line(name, value, bit);
    this.#hopLines ??= [];
    this.#hopLines.push(start, this.#block.length);
  }
}

function isGoodValue(value: string): boolean {
  if (known.has(value)) return true;
  const { length } = value;
  if (length === 0) return true;
  const last = value.charCodeAt(length - 1);
  // A blank at an end is refused by RFC 9113 section 8.2.1, other controls because HTTP/1 could not carry them.
  if (value.charCodeAt(0) <= 0x20 || last === 0x20 || last === 0x09 || !isFieldValue(value)) return false;
  if (known.size >= MAX_KNOWN) known = new Set();
  if (length <= MAX_KNOWN_LENGTH) known.add(value);
  return true;
}

/** For messages. */
export function shown(text: string): string {
  return JSON.stringify(text.slice(0, 128));
}
