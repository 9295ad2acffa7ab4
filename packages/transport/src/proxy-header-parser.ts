/**
 * Reads a PROXY header from the first bytes of a connection. A pure function of what has arrived so far.
 *
 * Strict: what is not exactly a header of proxy-protocol.txt is `invalid` or `absent`, and never guessed at. It looks
 * at no more than {@link PROXY_HEADER_MAX_BYTES}.
 */
import { isIPv4, isIPv6 } from 'node:net';
import type { InetAddress } from './address.ts';
import { crc32c } from './crc32c.ts';
import { ipFromBytes, ipToBytes } from './ip-bytes.ts';
import {
  type ProxyHeader,
  type ProxyTlv,
  TLV,
  V1_MAX_BYTES,
  V2_ADDRESS_BYTES,
  V2_FIXED_BYTES,
  V2_SIGNATURE,
} from './proxy-header.ts';

/** Longest header that is accepted, TLVs included. */
export const PROXY_HEADER_MAX_BYTES = 4_096;

/**
 * What the first bytes of a connection are: a header of so many `bytes`, the beginning of one (`incomplete`), something
 * else (`absent`), or a header with a mistake, behind which nothing can be trusted (`invalid`).
 */
export type ProxyHeaderParse =
  | { readonly kind: 'header'; readonly header: ProxyHeader; readonly bytes: number }
  | { readonly kind: 'incomplete' | 'absent' }
  | { readonly kind: 'invalid'; readonly reason: string };

const INCOMPLETE: ProxyHeaderParse = { kind: 'incomplete' };
const V1_SIGNATURE = Buffer.from('PROXY ');

/** Reads the header at the start of `bytes`, which is everything that has arrived. To be called again with more. */
export function parseProxyHeader(bytes: Buffer): ProxyHeaderParse {
  if (startsAs(bytes, V2_SIGNATURE)) return bytes.length < V2_FIXED_BYTES ? INCOMPLETE : parseV2(bytes);
  if (startsAs(bytes, V1_SIGNATURE)) return parseV1(bytes);
  return { kind: 'absent' };
}

/** True when one is the beginning of the other. */
function startsAs(bytes: Buffer, signature: Buffer): boolean {
  const length = Math.min(bytes.length, signature.length);
  return bytes.compare(signature, 0, length, 0, length) === 0;
}

function parseV1(bytes: Buffer): ProxyHeaderParse {
  const newline = bytes.subarray(0, V1_MAX_BYTES).indexOf(0x0a);
  if (newline < 0) {
    return bytes.length < V1_MAX_BYTES ? INCOMPLETE : invalid(`no end of line within ${V1_MAX_BYTES} bytes`);
  }
  const line = bytes.toString('latin1', 0, newline);
  if (!line.endsWith('\r')) return invalid('the line does not end with CR LF');
  const [, family, ...parts] = line.slice(0, -1).split(' ');
  const parsed = { version: 1, command: 'PROXY', tlvs: [] } as const;
  const consumed = newline + 1;
  // Section 2.1: whatever follows UNKNOWN is ignored.
  if (family === 'UNKNOWN') return found({ ...parsed, source: undefined, destination: undefined }, consumed);
  const isAddress = family === 'TCP4' ? isIPv4 : family === 'TCP6' ? isPlainIPv6 : undefined;
  if (isAddress === undefined) return invalid('the protocol is not TCP4, TCP6 or UNKNOWN');
  const [from = '', to = '', fromPort = '', toPort = ''] = parts;
  if (parts.length !== 4 || !isAddress(from) || !isAddress(to)) return invalid(`the addresses are not of ${family}`);
  if (!isPort(fromPort) || !isPort(toPort)) return invalid('a port is not a number from 0 to 65535');
  const source = { host: canonical(from), port: Number(fromPort) };
  return found({ ...parsed, source, destination: { host: canonical(to), port: Number(toPort) } }, consumed);
}

function parseV2(bytes: Buffer): ProxyHeaderParse {
  const [versionAndCommand = 0, familyAndTransport = 0] = bytes.subarray(V2_SIGNATURE.length);
  const end = V2_FIXED_BYTES + bytes.readUInt16BE(14);
  const addressBytes = V2_ADDRESS_BYTES[familyAndTransport >> 4];
  if (versionAndCommand !== 0x20 && versionAndCommand !== 0x21) return invalid('unknown version or command');
  if (end > PROXY_HEADER_MAX_BYTES) return invalid(`more than ${PROXY_HEADER_MAX_BYTES} bytes`);
  if (addressBytes === undefined || (familyAndTransport & 0x0f) > 2) return invalid('unknown address family');
  if (bytes.length < end) return INCOMPLETE;
  // Section 2.2: with LOCAL the rest is skipped, whatever it says.
  if (versionAndCommand === 0x20) return found({ ...LOCAL, tlvs: [] }, end);
  const body = bytes.subarray(V2_FIXED_BYTES, end);
  if (body.length < addressBytes) return invalid('the addresses are cut short');
  const tlvs = readTlvs(body.subarray(addressBytes));
  if (tlvs === undefined) return invalid('a TLV is cut short');
  if (!checksumHolds(bytes.subarray(0, end), tlvs, V2_FIXED_BYTES + addressBytes)) return invalid('wrong checksum');
  return found({ version: 2, command: 'PROXY', ...readAddresses(body, addressBytes), tlvs }, end);
}

const LOCAL = { version: 2, command: 'LOCAL', source: undefined, destination: undefined } as const;

function readAddresses(body: Buffer, bytes: number): Pick<ProxyHeader, 'source' | 'destination'> {
  if (bytes !== 12 && bytes !== 36) return { source: undefined, destination: undefined };
  const ports = bytes - 4;
  const address = (at: number, portAt: number): InetAddress => ({
    host: ipFromBytes(Buffer.from(body.subarray(at, at + ports / 2))),
    port: body.readUInt16BE(portAt),
  });
  return { source: address(0, ports), destination: address(ports / 2, ports + 2) };
}

/** Undefined when the last one does not fit. Values are copies: the bytes that arrived may be reused. */
function readTlvs(bytes: Buffer): ProxyTlv[] | undefined {
  const tlvs: ProxyTlv[] = [];
  for (let at = 0; at < bytes.length; ) {
    if (at + 3 > bytes.length) return undefined;
    const end = at + 3 + bytes.readUInt16BE(at + 1);
    if (end > bytes.length) return undefined;
    const type = bytes[at] as number;
    if (type !== TLV.noop) tlvs.push({ type, value: Buffer.from(bytes.subarray(at + 3, end)) });
    at = end;
  }
  return tlvs;
}

/** Section 2.2.3: the checksum covers the header with the checksum's own bytes as zeros. */
function checksumHolds(header: Buffer, tlvs: readonly ProxyTlv[], tlvsAt: number): boolean {
  const carried = tlvs.find(({ type }) => type === TLV.crc32c)?.value;
  if (carried === undefined) return true;
  if (carried.length !== 4) return false;
  const zeroed = Buffer.from(header);
  let at = tlvsAt;
  while (zeroed[at] !== TLV.crc32c) at += 3 + zeroed.readUInt16BE(at + 1);
  zeroed.fill(0, at + 3, at + 7);
  return crc32c(zeroed) === carried.readUInt32BE();
}

/** One text for one address, whoever wrote it: lists of addresses are compared with it. */
function canonical(address: string): string {
  return ipFromBytes(ipToBytes(address) as Buffer);
}

function isPlainIPv6(text: string): boolean {
  return isIPv6(text) && !text.includes('%');
}

function isPort(text: string): boolean {
  return /^(?:0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65_535;
}

function found(header: ProxyHeader, bytes: number): ProxyHeaderParse {
  return { kind: 'header', header, bytes };
}

function invalid(reason: string): ProxyHeaderParse {
  return { kind: 'invalid', reason };
}
