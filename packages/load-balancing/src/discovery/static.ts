/**
 * Discovery from a fixed list. Host names in it are resolved once, at the first update that succeeds.
 */
import { lookup as lookupName } from 'node:dns/promises';
import { isIP } from 'node:net';
import { fromNodeError } from '@cirque/error';
import { isUnixAddress } from '@cirque/transport';
import { Backend } from '../backend.ts';
import { parseBackends } from '../backend-list.ts';
import type { Discovered, ServiceDiscovery } from './discovery.ts';

/** Everything has a default. */
export interface StaticDiscoveryOptions {
  /**
   * What becomes of host names. `'once'` (default): each is replaced by all of its addresses, which keep its weight and
   * data; the answer is kept for good. `'never'`: they stay, and are resolved whenever a connection is made.
   */
  readonly resolve?: 'once' | 'never' | undefined;
  /** Finds the IP addresses of a name. Default the system's resolver (hosts file, then DNS), IPv4 and IPv6. */
  readonly lookup?: ((name: string) => Promise<readonly string[]>) | undefined;
}

/** The same backends each time. Throws TypeError for a bad address, naming its position and the accepted forms. */
export class StaticDiscovery implements ServiceDiscovery {
  readonly #lookup: (name: string) => Promise<readonly string[]>;
  #backends: readonly Backend[];
  #isResolved: boolean;

  constructor(addresses: Iterable<string | Backend>, options: StaticDiscoveryOptions = {}) {
    const { lookup = lookupAll, resolve = 'once' } = options;
    if (resolve !== 'once' && resolve !== 'never') {
      throw new TypeError(`resolve must be 'once' or 'never', got ${String(resolve)}`);
    }
    this.#lookup = lookup;
    this.#backends = parseBackends(addresses);
    this.#isResolved = resolve === 'never' || !this.#backends.some(isNamed);
  }

  /** What is known so far; names among them until they are resolved. */
  get backends(): readonly Backend[] {
    return this.#backends;
  }

  /** Rejects when a name cannot be resolved; the next call tries again. */
  async discover(): Promise<Discovered> {
    if (!this.#isResolved) {
      const resolved = await Promise.all(this.#backends.map((backend) => this.#resolve(backend)));
      this.#backends = resolved.flat();
      this.#isResolved = true;
    }
    return { backends: this.#backends };
  }

  async #resolve(backend: Backend): Promise<Backend[]> {
    if (isUnixAddress(backend) || !isNamed(backend)) return [backend];
    const { host, port } = backend;
    try {
      const addresses = await this.#lookup(host);
      return addresses.map((address) => Backend.of({ host: address, port }, backend));
    } catch (error) {
      throw fromNodeError(error, 'connect', 'Upstream', `cannot resolve ${host}`);
    }
  }
}

function isNamed(backend: Backend): boolean {
  return !isUnixAddress(backend) && isIP(backend.host) === 0;
}

async function lookupAll(name: string): Promise<string[]> {
  const found = await lookupName(name, { all: true });
  return found.map(({ address }) => address);
}
