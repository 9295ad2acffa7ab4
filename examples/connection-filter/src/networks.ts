// Lists of networks, on top of what Node has for them.
import { BlockList, isIP } from 'node:net';

/** A check whether an address is in one of the networks, given as `192.0.2.0/24`, or in full as `192.0.2.1`. */
export function networkList(networks: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', bits = isIP(address) === 6 ? '128' : '32'] = network.split('/');
    const family = isIP(address);
    if (family === 0 || !/^\d+$/.test(bits) || Number(bits) > (family === 6 ? 128 : 32)) {
      throw new TypeError(`${JSON.stringify(network)} is no network: expected something like 192.0.2.0/24`);
    }
    list.addSubnet(address, Number(bits), family === 6 ? 'ipv6' : 'ipv4');
  }
  return (address) => list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}
