/**
 * Discovery by DNS: the addresses of a name (A and AAAA records), asked for again when their time is over.
 */
import { CirqueError } from '@cirque/error';
import { Backend, type BackendOptions } from '../backend.ts';
import { integerOption } from '../number-option.ts';
import type { Discovered, ServiceDiscovery } from './discovery.ts';
import { DEFAULT_DISCOVERY_TIMEOUT_MS } from './discovery.ts';
import { DnsQueries, type DnsQueryOptions, dnsName } from './dns-queries.ts';
import { TtlBounds, type TtlOptions } from './ttl-bounds.ts';

/** Everything but `name` and `port` has a default. Weight, priority, cap and data are those of each backend. */
export interface DnsDiscoveryOptions extends DnsQueryOptions, TtlOptions, BackendOptions {
  /** The whole name: search domains and the hosts file of the system are not used. */
  readonly name: string;
  /** The port of all backends. */
  readonly port: number;
  /** A name without addresses removes all backends. Default false: it is an error, and the backends stay. */
  readonly allowEmpty?: boolean | undefined;
  /** Time for a whole discovery. Default 10,000. */
  readonly timeoutMs?: number | undefined;
}

/**
 * A backend for each address of a name. Asks again after the shortest time that a record allows, from `minTtlMs` to
 * `maxTtlMs`. A name that does not exist, a name server that fails or falls silent, and half an answer (only one of IPv4 and IPv6
 * failed), are errors: the balancer keeps its backends.
 *
 * Throws TypeError or RangeError, naming the option, for values that cannot work.
 */
export class DnsDiscovery implements ServiceDiscovery {
  readonly name: string;
  readonly timeoutMs: number;
  readonly #port: number;
  readonly #allowEmpty: boolean;
  readonly #options: BackendOptions;
  readonly #queries: DnsQueries;
  readonly #bounds: TtlBounds;

  constructor(options: DnsDiscoveryOptions) {
    const { allowEmpty = false, ext, maxConnections, priority, weight } = options;
    this.name = dnsName('name', options.name);
    this.#port = integerOption('port', options.port ?? Number.NaN, 0, 1, 65_535);
    this.timeoutMs = integerOption('timeoutMs', options.timeoutMs, DEFAULT_DISCOVERY_TIMEOUT_MS, 1);
    this.#allowEmpty = allowEmpty;
    this.#options = { ext, maxConnections, priority, weight };
    this.#queries = new DnsQueries(options);
    this.#bounds = new TtlBounds(options);
    // What is wrong with weights and the like comes out now.
    this.#backendAt('127.0.0.1');
  }

  /** Asks the name servers. Rejects with CirqueError. */
  async discover(signal?: AbortSignal): Promise<Discovered> {
    const { name } = this;
    const found = await this.#queries.run(signal, (resolver) => this.#queries.addresses(resolver, name));
    if (found.missing) throw CirqueError.upstream('ConnectNoRoute', `the name ${name} does not exist`);
    if (found.addresses.length === 0 && !this.#allowEmpty) {
      throw CirqueError.upstream('ConnectNoRoute', `the name ${name} has no addresses`);
    }
    return {
      backends: found.addresses.map((address) => this.#backendAt(address)),
      refreshAfterMs: this.#bounds.apply(found.ttlMs),
    };
  }

  #backendAt(address: string): Backend {
    return Backend.of({ host: address, port: this.#port }, this.#options);
  }
}
