/**
 * Reads the first message of a TLS client, without taking part: which server it asks for, and which protocols it offers.
 *
 * Sources: RFC 8446 sections 4.1.2 and 5.1 (TLS 1.3, which 1.2 and older agree with), RFC 6066 section 3 (server_name), RFC
 * 7301 section 3.1 (ALPN). What breaks them is taken for no TLS: a route must not be chosen by what the server may read otherwise.
 */
import { plainServerName } from '@cirque/transport';
import { ByteCursor } from './byte-cursor.ts';

/** What a ClientHello says. */
export interface TlsHello {
  /** The server name (SNI): lower case, without a dot at the end. Absent when the client names none. */
  readonly serverName?: string;
  /** The protocols that the client offers by ALPN, in its order. */
  readonly alpn: readonly string[];
}

const HANDSHAKE = 22;
const CLIENT_HELLO = 1;
const RECORD_HEADER_BYTES = 5;
const MESSAGE_HEADER_BYTES = 4;
/** Of one record (RFC 8446 section 5.1). */
const MAX_RECORD_BYTES = 16_384;
/** No client says more; whoever claims to is not waited for. */
const MAX_HELLO_BYTES = 65_536;
const SERVER_NAME = 0;
const ALPN = 16;
const NOTHING = Buffer.alloc(0);

/**
 * Looks for a ClientHello at the beginning of what a client has sent; records may split it as they like.
 *
 * @returns `'more'` while it may still become one, undefined when it is none.
 */
export function peekTls(seen: Buffer): 'more' | undefined | TlsHello {
  const message = handshakeOf(seen);
  return message === 'more' || message === undefined ? message : helloOf(message);
}

/** The bytes of the ClientHello, put together from its records; without the header of the message. */
function handshakeOf(seen: Buffer): 'more' | undefined | Buffer {
  const parts: Buffer[] = [];
  let length = 0;
  let wanted: number | 'more' | undefined = 'more';
  for (let at = 0; ; ) {
    const record = recordAt(seen, at);
    if (record === undefined) return undefined;
    parts.push(record.bytes);
    length += record.bytes.length;
    // Known after four records, however short they are: what comes behind them is looked at once.
    if (wanted === 'more') wanted = wantedBytes(Buffer.concat(parts, length));
    if (wanted === undefined) return undefined;
    if (wanted !== 'more' && length >= wanted)
      return Buffer.concat(parts, length).subarray(MESSAGE_HEADER_BYTES, wanted);
    if (!record.complete) return 'more';
    at += RECORD_HEADER_BYTES + record.bytes.length;
  }
}

/** Bytes of the message that begins so, with its header; undefined when it is no ClientHello. */
function wantedBytes(beginning: Buffer): number | 'more' | undefined {
  if (beginning.length > 0 && beginning[0] !== CLIENT_HELLO) return undefined;
  if (beginning.length < MESSAGE_HEADER_BYTES) return 'more';
  const bytes = beginning.readUIntBE(1, 3);
  return bytes > MAX_HELLO_BYTES ? undefined : MESSAGE_HEADER_BYTES + bytes;
}

/** The record that begins at `at`, as far as it is there; undefined when it is none of a handshake. */
function recordAt(seen: Buffer, at: number): { bytes: Buffer; complete: boolean } | undefined {
  if ((seen[at] ?? HANDSHAKE) !== HANDSHAKE || (seen[at + 1] ?? 3) !== 3) return undefined;
  const start = at + RECORD_HEADER_BYTES;
  if (seen.length < start) return { bytes: NOTHING, complete: false };
  const length = seen.readUInt16BE(at + 3);
  if (length === 0 || length > MAX_RECORD_BYTES) return undefined;
  const bytes = seen.subarray(start, start + length);
  return { bytes, complete: bytes.length === length };
}

function helloOf(message: Buffer): TlsHello | undefined {
  const hello = new ByteCursor(message);
  const version = hello.u16() >> 8;
  hello.bytes(32); // random
  const session = hello.vector8();
  const ciphers = hello.vector16();
  const compression = hello.vector8();
  if (version !== 3 || session.length > 32 || compression.length === 0) return undefined;
  if (ciphers.length < 2 || ciphers.length % 2 !== 0) return undefined;
  if (hello.atEnd) return { alpn: [] }; // TLS 1.2 and older may come without extensions
  const extensions = new ByteCursor(hello.vector16());
  return hello.atEnd ? extensionsOf(extensions) : undefined;
}

function extensionsOf(extensions: ByteCursor): TlsHello | undefined {
  let serverName: string | undefined;
  let alpn: readonly string[] | undefined;
  while (extensions.hasMore) {
    const type = extensions.u16();
    const body = new ByteCursor(extensions.vector16());
    if (!extensions.ok) return undefined;
    if (type === SERVER_NAME) {
      // Twice is against the rules, and two servers could each read another one.
      if (serverName !== undefined) return undefined;
      serverName = serverNameOf(body);
      if (serverName === undefined) return undefined;
    } else if (type === ALPN) {
      if (alpn !== undefined) return undefined;
      alpn = protocolsOf(body);
      if (alpn === undefined) return undefined;
    }
  }
  if (!extensions.ok) return undefined;
  return serverName === undefined ? { alpn: alpn ?? [] } : { serverName, alpn: alpn ?? [] };
}

/** One name of the type that there is (host_name). */
function serverNameOf(body: ByteCursor): string | undefined {
  const list = new ByteCursor(body.vector16());
  const type = list.u8();
  const name = list.vector16();
  if (!body.atEnd || !list.atEnd || type !== 0) return undefined;
  return plainServerName(name.toString('latin1'));
}

function protocolsOf(body: ByteCursor): readonly string[] | undefined {
  const list = new ByteCursor(body.vector16());
  const protocols: string[] = [];
  while (list.hasMore) {
    const protocol = list.vector8();
    if (protocol.length === 0) return undefined;
    protocols.push(protocol.toString('latin1'));
  }
  return body.atEnd && list.atEnd && protocols.length > 0 ? protocols : undefined;
}
