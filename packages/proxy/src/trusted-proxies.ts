/**
 * Which neighbours are believed when they say who the client is: a list of addresses and networks.
 */
import { BlockList, isIP } from 'node:net';

/** Decides whether an address belongs to a trusted proxy. */
export type TrustedProxies = (address: string | undefined) => boolean;

const NAMED: Readonly<Record<string, readonly string[]>> = {
  loopback: ['127.0.0.0/8', '::1/128'],
  private: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7', 'fe80::/10'],
};

/**
 * Makes a check from addresses (`10.1.2.3`, `::1`), networks (`10.0.0.0/8`) and the names `loopback` and `private`.
 * A client without an address (unix socket) is trusted when `unix` is in the list.
 *
 * @throws TypeError naming the entry and the forms that are right.
 */
export function trustedProxies(entries: readonly string[]): TrustedProxies {
  // Nobody is asked about each request then: a look into a list costs a microsecond.
  if (entries.length === 0) return () => false;
  const list = new BlockList();
  for (const entry of entries.flatMap((one) => NAMED[one] ?? [one])) if (entry !== 'unix') addEntry(list, entry);
  const unix = entries.includes('unix');
  return (address) => {
    if (address === undefined) return unix;
    const family = isIP(address);
    return family !== 0 && list.check(address, family === 6 ? 'ipv6' : 'ipv4');
  };
}

function addEntry(list: BlockList, entry: string): void {
  const [address = '', bits, ...rest] = entry.split('/');
  const family = isIP(address);
  const width = family === 6 ? 128 : 32;
  const prefix = bits === undefined ? width : /^\d{1,3}$/.test(bits) ? Number(bits) : Number.NaN;
  if (family === 0 || rest.length > 0 || !(prefix <= width)) {
    const forms = "an IP address, a network such as '10.0.0.0/8', 'loopback', 'private' or 'unix'";
    throw new TypeError(`trusted proxy ${JSON.stringify(entry)} is not valid: expected ${forms}`);
  }
  list.addSubnet(address, prefix, family === 6 ? 'ipv6' : 'ipv4');
}
