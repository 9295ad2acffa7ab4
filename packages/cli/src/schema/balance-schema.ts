/**
 * How the servers of an upstream are chosen, and how clients stay with theirs.
 */
import { z } from 'zod';
import type { BalanceConfig, BalanceMethod, StickyConfig } from '../config/gateway-config.ts';
import { choice, flag, integer, on, type Synonyms, text } from './basic-values.ts';
import { path } from './http-values.ts';
import { leaf, Refused } from './leaf.ts';
import { cookieName } from './name-values.ts';
import { duration, positiveDuration } from './quantities.ts';
import { exactlyOne, optional, type Rule, required, setting, settings } from './settings.ts';

/** Every method. */
export const BALANCE_METHODS: readonly BalanceMethod[] = [
  'round_robin',
  'random',
  'least_connections',
  'power_of_two',
  'peak_ewma',
  'source_ip',
  'fnv',
  'consistent',
  'bounded_consistent',
  'rendezvous',
  'maglev',
];

const HASHING: ReadonlySet<unknown> = new Set(['fnv', 'consistent', 'bounded_consistent', 'rendezvous', 'maglev']);

const SYNONYMS: Synonyms = {
  least_conn: 'least_connections',
  leastconn: 'least_connections',
  least_request: 'least_connections',
  roundrobin: 'round_robin',
  rr: 'round_robin',
  ip_hash: 'source_ip',
  source: 'source_ip',
  hash: 'consistent',
  ketama: 'consistent',
  ring_hash: 'consistent',
  uri: 'consistent',
  p2c: 'power_of_two',
  two_choices: 'power_of_two',
  ewma: 'peak_ewma',
  hrw: 'rendezvous',
};

const method = choice(BALANCE_METHODS, SYNONYMS);
/** What is assumed where nothing is said. */
const DEFAULTS = { key: 'client_ip', subset: 0, overload: 0.25, ipv4Prefix: 32, ipv6Prefix: 64 } as const;

const hashKey = text(
  'key',
  'client_ip, uri, path, host, sni, header:Name or cookie:name',
  /^(client_ip|uri|path|host|sni|(header|cookie):[!#$%&'*+\-.^_`|~0-9A-Za-z]+)$/,
  (given) => {
    if (/^(?:ip|remote_addr|\$remote_addr|source)$/.test(given)) return 'write client_ip';
    return /^\$?http_(\w+)$/.test(given)
      ? `write header:${given.replace(/^\$?http_/, '').replaceAll('_', '-')}`
      : undefined;
  },
);

const overload = leaf(
  {
    title: 'number',
    expects: 'a number from 0.01 to 10',
    types: ['number'],
    json: { type: 'number', minimum: 0.01, maximum: 10 },
  },
  (given: number) => (given >= 0.01 && given <= 10 ? given : new Refused()),
);

const balanceSettings = settings(
  {
    method: required(method, 'The method.'),
    key: optional(
      hashKey,
      'What methods that hash do hash: `client_ip`, `uri`, `path`, `host`, `sni`, `header:Name` or `cookie:name`. Default: client_ip.',
    ),
    subset: setting(
      integer(0, 1_000_000),
      'Only so many of the servers are used by this gateway, the same ones each time; 0: all.',
      0,
    ),
    overload: optional(overload, 'bounded_consistent: how much more than the average a server may get. Default: 0.25.'),
    ipv4_prefix: optional(
      integer(1, 32),
      'source_ip: IPv4 clients that have so many first bits in common have one server. Default: 32.',
    ),
    ipv6_prefix: optional(integer(1, 128), 'source_ip: the same for IPv6. Default: 64.'),
  },
  {
    what: 'balance',
    rules: [keyFits, overloadFits, prefixFits],
    synonyms: { algorithm: 'method', hash: 'key', hash_key: 'key' },
  },
).transform(
  ({ method, key, subset, overload, ipv4_prefix, ipv6_prefix }): BalanceConfig => ({
    method,
    key: key ?? DEFAULTS.key,
    subset,
    overload: overload ?? DEFAULTS.overload,
    ipv4Prefix: ipv4_prefix ?? DEFAULTS.ipv4Prefix,
    ipv6Prefix: ipv6_prefix ?? DEFAULTS.ipv6Prefix,
  }),
);

/** A method, or settings. */
export const balance: z.ZodType<BalanceConfig> = z.union([
  method.transform((name): BalanceConfig => ({ method: name, ...DEFAULTS })),
  balanceSettings,
]);

const secret = leaf(
  {
    title: 'text',
    expects: 'a text of at least 16 characters',
    types: ['string'],
    json: { type: 'string', minLength: 16 },
    secret: true,
  },
  (given) => (given.length >= 16 ? given : new Refused()),
);

const stickySource = settings(
  {
    ttl: setting(positiveDuration, 'How long a client is remembered after its last use.', '10m'),
    max_entries: setting(integer(1, 10_000_000), 'Clients remembered by each thread.', 100_000),
  },
  { what: 'sticky source' },
);

/** Clients stay with their server, by a cookie or by their address. */
export const sticky: z.ZodType<StickyConfig> = settings(
  {
    cookie: optional(cookieName, 'The name of a cookie that is set for clients (HTTP).'),
    source: optional(
      z.union([on.transform(() => stickySource.parse({})), stickySource]),
      'Clients are told apart by their address: `true`, or settings.',
    ),
    ttl: optional(duration, 'With cookie: how long browsers keep it. Default: 0, until they close.'),
    secret: optional(
      secret,
      'With cookie: a key for it, so that clients can neither find out addresses nor choose a server. Default: none, a plain hash.',
    ),
    secure: optional(flag, 'With cookie: it is sent over TLS only. Default: false.'),
    path: optional(path, 'With cookie: the path it is for. Default: /.'),
    same_site: optional(choice(['lax', 'strict', 'none']), 'With cookie: its SameSite. Default: lax.'),
  },
  {
    what: 'sticky',
    rules: [exactlyOne(['cookie', 'source'], 'a way to tell clients apart'), cookieOnly],
    synonyms: { name: 'cookie' },
  },
).transform(({ cookie, source, ttl, secret, secure, path, same_site }): StickyConfig => {
  if (source !== undefined) return { kind: 'source', ttlMs: source.ttl, maxEntries: source.max_entries };
  return {
    kind: 'cookie',
    name: cookie as string,
    ttlMs: ttl ?? 0,
    secret,
    secure: secure ?? false,
    path: path ?? '/',
    sameSite: same_site,
  };
});

function keyFits({ method, key }: Readonly<Record<string, unknown>>, refuse: Parameters<Rule>[1]): void {
  if (key === undefined || HASHING.has(method) || !BALANCE_METHODS.includes(method as BalanceMethod)) return;
  if (method === 'source_ip' && key === 'client_ip') return;
  refuse(['key'], `means nothing to ${String(method)}: it is for ${[...HASHING].join(', ')}`, { key: true });
}

function overloadFits({ method, overload }: Readonly<Record<string, unknown>>, refuse: Parameters<Rule>[1]): void {
  if (overload === undefined || method === 'bounded_consistent') return;
  refuse(['overload'], 'is for bounded_consistent only', { key: true });
}

function prefixFits(given: Readonly<Record<string, unknown>>, refuse: Parameters<Rule>[1]): void {
  if (given.method === 'source_ip') return;
  for (const key of ['ipv4_prefix', 'ipv6_prefix'])
    if (given[key] !== undefined) refuse([key], 'is for source_ip only', { key: true });
}

function cookieOnly(given: Readonly<Record<string, unknown>>, refuse: Parameters<Rule>[1]): void {
  if (given.cookie !== undefined || given.source === undefined) return;
  for (const key of ['ttl', 'secret', 'secure', 'path', 'same_site'])
    if (given[key] !== undefined)
      refuse([key], `is for cookies${key === 'ttl' ? ': write source: { ttl: ... }' : ''}`, { key: true });
}
