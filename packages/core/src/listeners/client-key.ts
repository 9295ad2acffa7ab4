/**
 * Which client an address belongs to: the network of so many bits around it.
 */
import { ipToBytes } from '@cirque/transport';

/** How many bits make a client. */
export interface ClientPrefix {
  readonly v4: number;
  readonly v6: number;
}

/** A text that all addresses of one client have in common, and no other. Addresses are as digests have them. */
export function clientKey(address: string, prefix: ClientPrefix): string {
  const isV6 = address.includes(':');
  // Most are whole IPv4 addresses: their text will do.
  if (!isV6 && prefix.v4 === 32) return address;
  const bytes = ipToBytes(address);
  if (bytes === undefined) return address;
  const bits = isV6 ? prefix.v6 : prefix.v4;
  const whole = bits >> 3;
  const rest = bits & 7;
  const network = bytes.subarray(0, rest === 0 ? whole : whole + 1);
  if (rest > 0) network[whole] = (network[whole] as number) & (0xff00 >> rest);
  return `${isV6 ? 'v6' : 'v4'}:${network.toString('latin1')}`;
}
