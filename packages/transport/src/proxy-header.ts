/**
 * The PROXY protocol header as data: what a proxy in front of us tells of the client, or we tell those behind us.
 *
 * Source of truth: HAProxy's proxy-protocol.txt (revision 2020/03/05). The bytes are read by proxy-protocol-parser.ts
 * and written by proxy-protocol-writer.ts.
 */
import type { InetAddress } from './address.ts';

/** A type-length-value of a version 2 header, section 2.2. */
export interface ProxyTlv {
  /** 0 to 255: 0x02 is the authority (SNI), 0x05 a unique id, 0xE0 to 0xEF are for own use. */
  readonly type: number;
  readonly value: Buffer;
}

/** One PROXY header. */
export interface ProxyHeader {
  readonly version: 1 | 2;
  /** `LOCAL`: the connection is the proxy's own (a health check); the addresses of the socket count. */
  readonly command: 'PROXY' | 'LOCAL';
  /** The client. Undefined for LOCAL, for UNKNOWN, and for addresses that are not of TCP or UDP over IP. */
  readonly source: InetAddress | undefined;
  /** Where the client connected to. */
  readonly destination: InetAddress | undefined;
  /** Empty in version 1. */
  readonly tlvs: readonly ProxyTlv[];
}
