/**
 * Checks the address of a peer and keeps a copy of it, so that a caller who changes his object later changes nothing.
 *
 * The strictness is for the reuse key: the text of a checked address says for certain which address it is.
 */
import { isIPv6 } from 'node:net';
import { type Address, isUnixAddress } from '@cirque/transport';
import { shown } from './check-option.ts';

const EXPECTED = "expected { host, port from 1 to 65535 }, { path: '/...' } or the text of either";

/**
 * A frozen copy of an address.
 *
 * @param what how the address is called in the error, for example `peer address`.
 * @throws TypeError naming the address.
 */
export function checkAddress(what: string, address: Address): Address {
  if (typeof address === 'object' && address !== null) {
    if (isUnixAddress(address)) {
      const { path } = address;
      if (typeof path === 'string' && path.startsWith('/') && !path.includes('\0')) return Object.freeze({ path });
    } else {
      const { host, port } = address;
      if (isHost(host) && isPort(port)) return Object.freeze({ host, port });
    }
  }
  throw new TypeError(`${what} ${shown(address)} is not valid: ${EXPECTED}`);
}

function isHost(host: unknown): boolean {
  return typeof host === 'string' && (/^[A-Za-z0-9._-]+$/.test(host) || isIPv6(host));
}

function isPort(port: unknown): boolean {
  return Number.isInteger(port) && (port as number) > 0 && (port as number) <= 65_535;
}
