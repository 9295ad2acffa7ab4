/**
 * Writes a PROXY header: the first bytes of a connection to somebody who expects one.
 */
import type { InetAddress } from './address.ts';
import { crc32c } from './crc32c.ts';
import { ipToBytes, toSixteen } from './ip-bytes.ts';
import { type ProxyTlv, TLV, V2_SIGNATURE } from './proxy-header.ts';

/** What to tell. A `ProxyHeader` that was received fits, to be sent on. */
export interface ProxyHeaderInit {
  readonly version: 1 | 2;
  /** Default `PROXY`. `LOCAL`, for a connection of our own, is said in version 1 as UNKNOWN. */
  readonly command?: 'PROXY' | 'LOCAL';
  /** The client; with {@link destination}, or neither. Hosts are IP addresses. */
  readonly source?: InetAddress | undefined;
  /** Where the client connected to. */
  readonly destination?: InetAddress | undefined;
  /** Version 2 only. A CRC-32C (type 0x03) is computed anew, whatever its value. */
  readonly tlvs?: readonly ProxyTlv[];
}

/**
 * The bytes of a header. Without addresses it says that they are unknown. When the families differ, the IPv4 address
 * is written as the IPv6 address that stands for it.
 *
 * @throws TypeError or RangeError naming what cannot be written.
 */
export function encodeProxyHeader(header: ProxyHeaderInit): Buffer {
  const { version, command = 'PROXY', tlvs = [] } = header;
  const addresses = command === 'LOCAL' ? undefined : addressesOf(header);
  if (version === 2) return encodeV2(command, addresses, tlvs);
  if (version !== 1) throw new RangeError(`a PROXY header has version 1 or 2, got ${String(version)}`);
  if (tlvs.length > 0) throw new TypeError('a PROXY header of version 1 has no TLVs; use version 2');
  return encodeV1(addresses);
}

/** Both sides in one family. */
interface Addresses {
  readonly from: Buffer;
  readonly to: Buffer;
  readonly fromPort: number;
  readonly toPort: number;
}

function addressesOf({ source, destination }: ProxyHeaderInit): Addresses | undefined {
  if (source === undefined && destination === undefined) return undefined;
  if (source === undefined || destination === undefined) {
    throw new TypeError('a PROXY header needs both source and destination, or neither');
  }
  const [from, to] = [bytesOf('source', source), bytesOf('destination', destination)];
  const ports = { fromPort: source.port, toPort: destination.port };
  return from.length === to.length ? { from, to, ...ports } : { from: toSixteen(from), to: toSixteen(to), ...ports };
}

function bytesOf(name: string, { host, port }: InetAddress): Buffer {
  const bytes = ipToBytes(host);
  if (bytes === undefined) throw new TypeError(`${name}.host must be an IP address, got ${JSON.stringify(host)}`);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new RangeError(`${name}.port must be a whole number from 0 to 65535, got ${String(port)}`);
  }
  return bytes;
}

function encodeV1(addresses: Addresses | undefined): Buffer {
  if (addresses === undefined) return Buffer.from('PROXY UNKNOWN\r\n');
  const { from, to, fromPort, toPort } = addresses;
  const family = from.length === 4 ? 'TCP4' : 'TCP6';
  return Buffer.from(`PROXY ${family} ${textOf(from)} ${textOf(to)} ${fromPort} ${toPort}\r\n`);
}

/** Section 2.1 wants IPv6 in hexadecimal words only, also for a mapped address. */
function textOf(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join('.');
  return Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16)).join(':');
}

function encodeV2(command: 'PROXY' | 'LOCAL', addresses: Addresses | undefined, tlvs: readonly ProxyTlv[]): Buffer {
  const address = addresses === undefined ? Buffer.alloc(0) : addressBlock(addresses);
  const parts = [V2_SIGNATURE, Buffer.alloc(4), address, ...tlvs.map(encodeTlv)];
  const header = Buffer.concat(parts);
  const length = header.length - V2_SIGNATURE.length - 4;
  if (length > 0xffff) throw new RangeError(`the TLVs of a PROXY header have too many bytes: ${length} of 65535`);
  header[12] = command === 'LOCAL' ? 0x20 : 0x21;
  header[13] = addresses === undefined ? 0x00 : addresses.from.length === 4 ? 0x11 : 0x21;
  header.writeUInt16BE(length, 14);
  const checksum = tlvs.findIndex(({ type }) => type === TLV.crc32c);
  if (checksum < 0) return header;
  const before = parts.slice(0, 3 + checksum).reduce((sum, part) => sum + part.length, 0);
  header.writeUInt32BE(crc32c(header), before + 3);
  return header;
}

function addressBlock({ from, to, fromPort, toPort }: Addresses): Buffer {
  const ports = Buffer.alloc(4);
  ports.writeUInt16BE(fromPort, 0);
  ports.writeUInt16BE(toPort, 2);
  return Buffer.concat([from, to, ports]);
}

function encodeTlv({ type, value }: ProxyTlv): Buffer {
  if (!Number.isInteger(type) || type < 0 || type > 255) {
    throw new RangeError(`the type of a TLV must be a whole number from 0 to 255, got ${String(type)}`);
  }
  const bytes = type === TLV.crc32c ? Buffer.alloc(4) : value;
  if (bytes.length > 0xffff) throw new RangeError(`the value of TLV ${type} has ${bytes.length} bytes of 65535`);
  const head = Buffer.from([type, bytes.length >> 8, bytes.length & 0xff]);
  return Buffer.concat([head, bytes]);
}
