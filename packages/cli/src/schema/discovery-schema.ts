/**
 * Where the servers of an upstream come from: a list, a file, DNS, HTTP.
 */
import { z } from 'zod';
import type { DiscoveryConfig, UpstreamServerConfig } from '../config/gateway-config.ts';
import { nameserver, serverAddress } from './address-values.ts';
import { choice, flag, integer, text } from './basic-values.ts';
import { filePath } from './file-path.ts';
import { headerText, url } from './http-values.ts';
import { anyNumber, mapOf } from './lists.ts';
import { headerName, hostName } from './name-values.ts';
import { positiveDuration } from './quantities.ts';
import { optional, type Rule, required, setting, settings } from './settings.ts';

/** The largest number of a priority. */
const MAX_PRIORITY = 15;

type ServerSettings = UpstreamServerConfig & { readonly backup: boolean };
type Dns = Extract<DiscoveryConfig, { kind: 'dns' }>;

const server: z.ZodType<ServerSettings> = z.union([
  serverAddress.transform((address): ServerSettings => ({ ...plainServer(address), backup: false })),
  settings(
    {
      address: required(serverAddress, '`host:port`, `[ipv6]:port` or `unix:/path`.'),
      weight: setting(integer(0, 1_000_000), 'Share of the traffic relative to the others; 0: never chosen.', 1),
      priority: optional(
        integer(0, MAX_PRIORITY),
        'Smaller ones go first; the next ones are used while nobody before them is in rotation. Default: 0.',
      ),
      backup: setting(flag, 'Used while no other server is in rotation.', false),
      max_connections: setting(integer(0, 1_000_000_000), 'Uses at a time; 0: what the upstream says.', 0),
      state: setting(
        choice(['active', 'draining', 'maintenance'], {
          down: 'maintenance',
          up: 'active',
          drain: 'draining',
          maint: 'maintenance',
        }),
        'draining: nothing new but for clients that stick to it; maintenance: nothing at all.',
        'active',
      ),
    },
    {
      what: 'a server',
      rules: [backupOrPriority],
      synonyms: { host: 'address', url: 'address', max_conns: 'max_connections', maxconn: 'max_connections' },
      refused: {
        max_fails: 'it belongs to passive_health of the upstream: consecutive_failures',
        fail_timeout: 'it belongs to passive_health of the upstream: base_ejection',
        down: 'write state: maintenance',
      },
    },
  ).transform(
    ({ address, weight, priority, backup, max_connections, state }): ServerSettings => ({
      address,
      weight,
      priority: priority ?? 0,
      maxConnections: max_connections,
      state,
      backup,
    }),
  ),
]);

/** A static list; backups come after all others. */
export const serverList: z.ZodType<readonly UpstreamServerConfig[]> = z
  .array(server)
  .min(1)
  .superRefine((all, { issues }) => {
    const addresses = all.map(({ address }) => address);
    for (const [index, address] of addresses.entries()) {
      const first = addresses.indexOf(address);
      const message = `is the same server as number ${first + 1} of the list: keep one of them`;
      if (first < index) issues.push({ code: 'custom', message, path: [index], input: address });
    }
  })
  .transform((all) => {
    const last = Math.max(0, ...all.filter(({ backup }) => !backup).map(({ priority }) => priority));
    return all.map(({ backup, ...rest }) => (backup ? { ...rest, priority: Math.min(last + 1, MAX_PRIORITY) } : rest));
  });

const lookups = {
  nameservers: setting(anyNumber(nameserver), 'Name servers to ask. Empty: those of the system.', []),
  min_ttl: setting(positiveDuration, 'Least time from one look-up to the next, whatever DNS says.', '1s'),
  max_ttl: setting(positiveDuration, 'Most time from one look-up to the next, whatever DNS says.', '5m'),
};

/** Addresses of a name; `name:port` is a short form. */
export const dnsDiscovery: z.ZodType<Omit<Dns, 'port'> & { readonly port: number | undefined }> = z.union([
  text('name', 'a host name, with or without port', /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,252}(:\d{1,5})?$/).transform(
    (given) => {
      const [name = '', port] = given.split(':');
      return { ...DNS, name, port: port === undefined ? undefined : Number(port) };
    },
  ),
  settings(
    {
      name: required(hostName, 'The name whose addresses are the servers.'),
      port: optional(integer(1, 65_535), 'Their port. Default: `port` of the upstream.'),
      family: setting(choice(['any', 4, 6]), 'Which addresses: 4, 6 or any.', 'any'),
      ...lookups,
    },
    { what: 'dns discovery', rules: [ttls], synonyms: { host: 'name', resolver: 'nameservers', ttl: 'max_ttl' } },
  ).transform(({ name, port, family, nameservers, min_ttl, max_ttl }) => ({
    kind: 'dns' as const,
    name,
    port,
    family,
    nameservers,
    minTtlMs: min_ttl,
    maxTtlMs: max_ttl,
  })),
]);

/** Servers of a SRV record. */
export const srvDiscovery: z.ZodType<Extract<DiscoveryConfig, { kind: 'srv' }>> = z.union([
  hostName.transform((name) => ({ ...TTLS, kind: 'srv' as const, name })),
  settings(
    { name: required(hostName, 'The name of the record: `_pg._tcp.db.internal`.'), ...lookups },
    { what: 'srv discovery', rules: [ttls], synonyms: { resolver: 'nameservers', ttl: 'max_ttl' } },
  ).transform(({ name, nameservers, min_ttl, max_ttl }) => ({
    kind: 'srv' as const,
    name,
    nameservers,
    minTtlMs: min_ttl,
    maxTtlMs: max_ttl,
  })),
]);

/** A list in a file that is watched. */
export const fileDiscovery: z.ZodType<Extract<DiscoveryConfig, { kind: 'file' }>> = filePath.transform((path) => ({
  kind: 'file' as const,
  path,
}));

/** A list that is fetched again and again. */
export const httpDiscovery: z.ZodType<{
  url: string;
  intervalMs: number | undefined;
  headers: Record<string, string>;
}> = z.union([
  url.transform((given) => ({ url: given, intervalMs: undefined, headers: {} })),
  settings(
    {
      url: required(url, 'Where the list is: JSON.'),
      interval: optional(
        positiveDuration,
        'From one request to the next. Default: `interval` of the upstream, or 10s.',
      ),
      headers: setting(mapOf(headerName, headerText), 'Headers of the request.', {}),
    },
    { what: 'http discovery' },
  ).transform(({ url, interval, headers }) => ({ url, intervalMs: interval, headers: { ...headers } })),
]);

const TTLS = { nameservers: [], minTtlMs: 1_000, maxTtlMs: 300_000 } as const;
const DNS = { ...TTLS, kind: 'dns', family: 'any' } as const;

/** A server with the defaults. */
export function plainServer(address: string): UpstreamServerConfig {
  return { address, weight: 1, priority: 0, maxConnections: 0, state: 'active' };
}

function backupOrPriority({ backup, priority }: Readonly<Record<string, unknown>>, refuse: Parameters<Rule>[1]): void {
  if (backup === true && priority !== undefined)
    refuse(['backup'], 'cannot be there beside priority: keep one of them', { key: true });
}

function ttls(given: Readonly<Record<string, unknown>>, refuse: Parameters<Rule>[1]): void {
  const { min_ttl: least, max_ttl: most } = given;
  if (typeof least === 'number' && typeof most === 'number' && most < least)
    refuse(['max_ttl'], 'must be at least min_ttl');
}
