/**
 * Addresses as text and as data: `host:port`, `[v6]:port`, `unix:/path`.
 *
 * Pure parsing and printing; names are not resolved here. Follows RFC 3986 section 3.2 for the text forms.
 */
import { isIPv6 } from 'node:net';

/** A TCP endpoint. `host` is an IP address or a name, an IPv6 address without brackets. */
export interface InetAddress {
  readonly host: string;
  readonly port: number;
}

/** A unix-domain socket. */
export interface UnixAddress {
  readonly path: string;
}

/** Where to listen or to connect to. Structural: any object with these fields fits. */
export type Address = InetAddress | UnixAddress;

const FORMS = "'host:port', '[ipv6]:port', 'unix:/path' or '/path'";

/** True for a unix-domain address. */
export function isUnixAddress(address: Address): address is UnixAddress {
  return 'path' in address && address.path !== undefined;
}

/**
 * Parses the text form of an address.
 *
 * @throws TypeError naming the text and the accepted forms.
 */
export function parseAddress(text: string): Address {
  const path = text.startsWith('unix:') ? text.slice(5) : text;
  if (path.startsWith('/') && !path.includes('\0')) return { path };
  const colon = text.lastIndexOf(':');
  const host = text.slice(0, colon);
  const port = text.slice(colon + 1);
  if (colon <= 0 || !/^\d{1,5}$/.test(port) || Number(port) > 65_535) throw badAddress(text);
  if (host.startsWith('[')) {
    const inner = host.slice(1, -1);
    if (!host.endsWith(']') || !isIPv6(inner)) throw badAddress(text);
    return { host: inner, port: Number(port) };
  }
  if (!/^[A-Za-z0-9._-]+$/.test(host)) throw badAddress(text);
  return { host, port: Number(port) };
}

/** Prints an address in the form that {@link parseAddress} reads. */
export function formatAddress(address: Address): string {
  if (isUnixAddress(address)) return `unix:${address.path}`;
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}

function badAddress(text: string): TypeError {
  return new TypeError(`address ${JSON.stringify(text)} is not valid: expected ${FORMS} with a port from 0 to 65535`);
}
