/**
 * Where the servers of a group come from, when they are not in the file itself.
 */
import {
  DnsDiscovery,
  FileDiscovery,
  HttpDiscovery,
  type LoadBalancerOptions,
  SrvDiscovery,
} from '@cirque/load-balancing';
import type { DiscoveryConfig } from '../config/gateway-config.ts';

/** What a balancer is told of its discovery. */
type DiscoveryOptions = Pick<LoadBalancerOptions, 'discovery' | 'updateFrequencyMs'>;

/**
 * A file is watched, records of DNS say themselves when they are to be asked for again; only lists behind HTTP are fetched at
 * intervals.
 *
 * @throws TypeError or RangeError for values that cannot work.
 */
export function discoveryOf(config: Exclude<DiscoveryConfig, { kind: 'static' }>): DiscoveryOptions {
  switch (config.kind) {
    case 'file':
      return { discovery: new FileDiscovery(config.path) };
    case 'dns': {
      const { family, name, port } = config;
      return { discovery: new DnsDiscovery({ ...lookupOptions(config), name, port, family }) };
    }
    case 'srv':
      return { discovery: new SrvDiscovery({ ...lookupOptions(config), name: config.name }) };
    case 'http': {
      const { headers, intervalMs, url } = config;
      return { discovery: new HttpDiscovery({ url, headers }), updateFrequencyMs: intervalMs };
    }
  }
}

interface LookupOptions {
  readonly minTtlMs: number;
  readonly maxTtlMs: number;
  readonly nameservers?: readonly string[];
}

/** No name servers: those of the system. */
function lookupOptions({
  maxTtlMs,
  minTtlMs,
  nameservers,
}: Extract<DiscoveryConfig, { kind: 'dns' | 'srv' }>): LookupOptions {
  return { minTtlMs, maxTtlMs, ...(nameservers.length === 0 ? {} : { nameservers }) };
}
