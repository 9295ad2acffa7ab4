/**
 * The addresses whose PROXY headers are believed.
 */
import { BlockList, isIP } from 'node:net';

/** Networks such as `10.0.0.0/8`, or single addresses; `any` believes everybody who can connect. */
export type TrustedSourcesLike = readonly string[] | 'any';

export class TrustedSources {
  /** Undefined: everybody. */
  readonly #list: BlockList | undefined;

  /** @throws TypeError naming the entry that is no network. */
  constructor(sources: TrustedSourcesLike) {
    this.#list = sources === 'any' ? undefined : blockList(sources);
  }

  /** @param address plain text; undefined, as with unix sockets, is trusted only where everybody is. */
  trusts(address: string | undefined): boolean {
    if (this.#list === undefined) return true;
    const family = address === undefined ? 0 : isIP(address);
    return address !== undefined && family !== 0 && this.#list.check(address, family === 4 ? 'ipv4' : 'ipv6');
  }
}

function blockList(sources: readonly string[]): BlockList {
  const list = new BlockList();
  if (!Array.isArray(sources) || sources.length === 0) {
    throw new TypeError("trustedSources must be a list of networks such as ['10.0.0.0/8'], or 'any'");
  }
  for (const source of sources) addNetwork(list, source);
  return list;
}

function addNetwork(list: BlockList, source: string): void {
  const [address = '', bits, ...more] = typeof source === 'string' ? source.split('/') : [];
  const family = isIP(address);
  const most = family === 4 ? 32 : 128;
  const prefix = bits === undefined ? most : /^\d{1,3}$/.test(bits) ? Number(bits) : Number.NaN;
  if (family === 0 || address.includes('%') || more.length > 0 || !(prefix <= most)) {
    throw new TypeError(`trusted source ${JSON.stringify(source)} is no address and no network such as '10.0.0.0/8'`);
  }
  list.addSubnet(address, prefix, family === 4 ? 'ipv4' : 'ipv6');
}
