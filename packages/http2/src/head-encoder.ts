/**
 * Heads and trailers to HEADERS frames: pseudo fields first, names in lower case, no fields of HTTP/1 connections.
 */
import { type HeaderMap, type RequestHeader, type ResponseHeader, trimBlanks } from '@cirque/http';
import type { FrameWriter } from './frame-writer.ts';
import { HpackEncoder } from './hpack/encoder.ts';

/** Fields that HTTP/2 does not have (RFC 9113 section 8.2.2). */
const NOT_SENT: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
]);

const DEFAULT_TABLE = 4_096;
const MAX_KNOWN = 1_000;
const MAX_KNOWN_LENGTH = 64;

/** Names as spelt to lower case; empty: not sent. */
let known = new Map<string, string>();

function sentName(name: string): string {
  return known.get(name) ?? learn(name);
}

function learn(name: string): string {
  const lower = name.toLowerCase();
  const sent = NOT_SENT.has(lower) ? '' : lower;
  if (known.size >= MAX_KNOWN) known = new Map();
  if (name.length <= MAX_KNOWN_LENGTH) known.set(name, sent);
  return sent;
}

/** What becomes the pseudo fields of a request besides its method. */
export interface RequestPseudo {
  readonly scheme: string;
  readonly authority: string;
  readonly protocol?: string | undefined;
}

/** One per connection: HPACK remembers. */
export class HeadEncoder {
  readonly #writer: FrameWriter;
  #hpack: HpackEncoder | undefined;
  #isRequest = false;
  readonly #field: (name: string, value: string) => void;

  constructor(writer: FrameWriter) {
    this.#writer = writer;
    this.#field = (name, value): void => this.#encodeField(name, value);
  }

  /** Follows the peer's SETTINGS_HEADER_TABLE_SIZE. */
  setMaxTableSize(bytes: number): void {
    if (this.#hpack === undefined && bytes === DEFAULT_TABLE) return;
    this.#hpack ??= new HpackEncoder();
    this.#hpack.setMaxTableSize(bytes);
  }

  response(streamId: number, header: ResponseHeader, endStream: boolean): void {
    const frame = this.#writer.beginHeaders(streamId, endStream);
    this.#begin(false).field(':status', String(header.status));
    header.headers.forEach(this.#field);
    this.#writer.endHeaders(frame);
  }

  request(streamId: number, header: RequestHeader, target: RequestPseudo, endStream: boolean): void {
    const frame = this.#writer.beginHeaders(streamId, endStream);
    const hpack = this.#begin(true);
    hpack.field(':method', header.method);
    if (header.method !== 'CONNECT' || target.protocol !== undefined) {
      hpack.field(':scheme', target.scheme);
      hpack.field(':path', header.target);
      if (target.protocol !== undefined) hpack.field(':protocol', target.protocol);
    }
    hpack.field(':authority', target.authority);
    header.headers.forEach(this.#field);
    this.#writer.endHeaders(frame);
  }

  trailers(streamId: number, fields: HeaderMap): void {
    const frame = this.#writer.beginHeaders(streamId, true);
    this.#begin(false);
    fields.forEach(this.#field);
    this.#writer.endHeaders(frame);
  }

  #begin(isRequest: boolean): HpackEncoder {
    this.#isRequest = isRequest;
    this.#hpack ??= new HpackEncoder();
    this.#hpack.begin(this.#writer);
    return this.#hpack;
  }

  #encodeField(name: string, value: string): void {
    const sent = sentName(name);
    const hpack = this.#hpack as HpackEncoder;
    if (sent === '') return;
    if (sent === 'te') {
      if (this.#isRequest && /(^|,)\s*trailers\s*(,|$)/i.test(value)) hpack.field('te', 'trailers');
    } else if (sent !== 'host' || !this.#isRequest) {
      hpack.field(sent, trimBlanks(value));
    }
  }
}
