/**
 * The PROXY protocol header as data: what a proxy in front of us tells of the client, or we tell those behind us.
 *
 * Source of truth: HAProxy's proxy-protocol.txt (revision 2020/03/05). The bytes are read by proxy-header-parser.ts
 * and written by proxy-header-writer.ts.
 */
import type { InetAddress } from './address.ts';

/** A type-length-value of a version 2 header, section 2.2. */
export interface ProxyTlv {
  /** 0 to 255: 0x02 is the authority (SNI), 0x05 a unique id; 0xE0 to 0xEF are for own use. */
  readonly type: number;
  readonly value: Buffer;
}

/** One PROXY header. */
export interface ProxyHeader {
  readonly version: 1 | 2;
  /** `LOCAL`: the connection is the proxy's own (a health check), so the addresses of the socket count. */
  readonly command: 'PROXY' | 'LOCAL';
  /** The client. Undefined for LOCAL, for UNKNOWN and for unix sockets. */
  readonly source: InetAddress | undefined;
  /** Where the client connected to. */
  readonly destination: InetAddress | undefined;
  /** In the order of the header; empty in version 1 and for LOCAL. */
  readonly tlvs: readonly ProxyTlv[];
}

/** The bytes that a version 2 header begins with. */
export const V2_SIGNATURE: Buffer = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');

/** Signature, version and command, family, length. */
export const V2_FIXED_BYTES = 16;

/** The address part of a version 2 header by its family nibble: none, IPv4, IPv6, unix. */
export const V2_ADDRESS_BYTES: readonly number[] = [0, 12, 36, 216];

/** Longest version 1 header with its CRLF, section 2.1. */
export const V1_MAX_BYTES = 107;

/** TLV types that the protocol itself gives a meaning to. */
export const TLV = { crc32c: 0x03, noop: 0x04 } as const;
