/**
 * Discovery by DNS: the servers of a service (SRV records, RFC 2782), with their ports, priorities and weights.
 */
import { CirqueError } from '@cirque/error';
import { Backend, type BackendOptions, MAX_PRIORITY } from '../backend.ts';
import { integerOption } from '../number-option.ts';
import { DEFAULT_DISCOVERY_TIMEOUT_MS, type Discovered, type ServiceDiscovery } from './discovery.ts';
import { DnsQueries, type DnsQueryOptions, dnsName, type Resolver, type ServiceRecord } from './dns-queries.ts';
import { addressWeights } from './srv-weights.ts';
import { TtlBounds, type TtlOptions } from './ttl-bounds.ts';

/** Everything but `name` has a default. Cap and data are those of each backend. */
export interface SrvDiscoveryOptions
  extends DnsQueryOptions,
    TtlOptions,
    Pick<BackendOptions, 'maxConnections' | 'ext'> {
  /** The whole name of the service: `_http._tcp.example.com`. */
  readonly name: string;
  /** `always` (default): a backend for each address of each target. `never`: targets stay names, resolved by whoever connects. */
  readonly resolve?: 'always' | 'never' | undefined;
  /** A service without servers removes all backends. Default false: it is an error, and the backends stay. */
  readonly allowEmpty?: boolean | undefined;
  /** Time for a whole discovery. Default 10,000. */
  readonly timeoutMs?: number | undefined;
}

/** A record and the addresses of its target. */
interface Target {
  readonly record: ServiceRecord;
  readonly hosts: readonly string[];
}

/**
 * The backends of a service. The smallest priority number among the records becomes priority 0, the next one 1, and so on up to 15,
 * which stands for all after it. Asks again after the shortest time that an address record allows, from `minTtlMs` to `maxTtlMs`
 * (Node does not tell the time of SRV records), and after half a minute where there is none.
 *
 * A target that does not exist or has no addresses is left out. Everything else that fails is an error, and the balancer keeps
 * its backends.
 *
 * Throws TypeError or RangeError, naming the option, for values that cannot work.
 */
export class SrvDiscovery implements ServiceDiscovery {
  readonly name: string;
  readonly timeoutMs: number;
  readonly #resolves: boolean;
  readonly #allowEmpty: boolean;
  readonly #options: Pick<BackendOptions, 'maxConnections' | 'ext'>;
  readonly #queries: DnsQueries;
  readonly #bounds: TtlBounds;

  constructor(options: SrvDiscoveryOptions) {
    const { allowEmpty = false, ext, maxConnections, resolve = 'always' } = options;
    if (resolve !== 'always' && resolve !== 'never') {
      throw new TypeError(`resolve must be 'always' or 'never', got ${String(resolve)}`);
    }
    this.name = dnsName('name', options.name);
    this.timeoutMs = integerOption('timeoutMs', options.timeoutMs, DEFAULT_DISCOVERY_TIMEOUT_MS, 1);
    this.#resolves = resolve === 'always';
    this.#allowEmpty = allowEmpty;
    this.#options = { ext, maxConnections };
    this.#queries = new DnsQueries(options);
    this.#bounds = new TtlBounds(options);
    // What is wrong with the cap comes out now.
    Backend.of({ host: '127.0.0.1', port: 1 }, this.#options);
  }

  /** Asks the name servers. Rejects with CirqueError. */
  discover(signal?: AbortSignal): Promise<Discovered> {
    return this.#queries.run(signal, (resolver) => this.#discover(resolver));
  }

  async #discover(resolver: Resolver): Promise<Discovered> {
    const records = await this.#queries.services(resolver, this.name);
    if (records === undefined) throw this.#nobody('does not exist');
    // A target of the root says that there is no such service.
    const offered = records.filter(({ name }) => name !== '' && name !== '.');
    const { targets, ttlMs } = await this.#targetsOf(resolver, offered);
    if (targets.length === 0 && !this.#allowEmpty) throw this.#nobody('has no servers');
    return { backends: this.#backendsOf(targets), refreshAfterMs: this.#bounds.apply(ttlMs) };
  }

  async #targetsOf(
    resolver: Resolver,
    records: readonly ServiceRecord[],
  ): Promise<{ targets: readonly Target[]; ttlMs: number | undefined }> {
    if (!this.#resolves)
      return { targets: records.map((record) => ({ record, hosts: [record.name] })), ttlMs: undefined };
    const names = [...new Set(records.map(({ name }) => name))];
    const found = await Promise.all(names.map((name) => this.#queries.addresses(resolver, name)));
    const hosts = new Map(names.map((name, index) => [name, found[index]?.addresses ?? []]));
    const targets = records.map((record) => ({ record, hosts: hosts.get(record.name) ?? [] }));
    const ttls = found.flatMap(({ ttlMs }) => (ttlMs === undefined ? [] : [ttlMs]));
    return {
      targets: targets.filter((target) => target.hosts.length > 0),
      ttlMs: ttls.length === 0 ? undefined : Math.min(...ttls),
    };
  }

  #backendsOf(targets: readonly Target[]): Backend[] {
    const tiers = [...new Set(targets.map(({ record }) => record.priority))].sort((a, b) => a - b);
    return tiers.flatMap((priority, index) => {
      const tier = targets.filter(({ record }) => record.priority === priority);
      return this.#tierOf(tier, Math.min(index, MAX_PRIORITY));
    });
  }

  #tierOf(targets: readonly Target[], priority: number): Backend[] {
    const weights = addressWeights(targets.map(({ record, hosts }) => ({ ...record, addresses: hosts.length })));
    return targets.flatMap(({ record: { port }, hosts }, index) =>
      hosts.map((host) => Backend.of({ host, port }, { ...this.#options, priority, weight: weights[index] })),
    );
  }

  #nobody(what: string): CirqueError {
    return CirqueError.upstream('ConnectNoRoute', `the service ${this.name} ${what}`);
  }
}
