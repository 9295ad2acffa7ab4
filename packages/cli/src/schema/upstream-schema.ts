/**
 * An upstream: a group of servers, and how the gateway treats them.
 */
import { z } from 'zod';
import type { DiscoveryConfig, UpstreamConfig, UpstreamServerConfig } from '../config/gateway-config.ts';
import { serverAddress } from './address-values.ts';
import { balance, sticky } from './balance-schema.ts';
import { choice, integer } from './basic-values.ts';
import {
  dnsDiscovery,
  fileDiscovery,
  httpDiscovery,
  plainServer,
  serverList,
  srvDiscovery,
} from './discovery-schema.ts';
import { health, passiveHealth } from './health-schema.ts';
import { duration, positiveDuration, share } from './quantities.ts';
import { exactlyOne, optional, type Rule, setting, settings } from './settings.ts';
import { upstreamTls } from './tls-schema.ts';

const MAX_COUNT = 1_000_000_000;
const SOURCES = ['servers', 'dns', 'srv', 'file', 'http'] as const;
const DEFAULT_HTTP_INTERVAL_MS = 10_000;

/** An upstream whose name is not known yet: it is the key under which it stands. */
export type UnnamedUpstream = Omit<UpstreamConfig, 'name'>;

const queueSettings = settings(
  {
    size: setting(integer(0, 1_000_000), 'How many may wait when every server is at its limit; 0: nobody.', 0),
    timeout: setting(positiveDuration, 'How long they wait.', '5s'),
  },
  { what: 'a queue' },
);

const queue = z.union([integer(0, 1_000_000).transform((size) => ({ size, timeout: 5_000 })), queueSettings]);

const proxyVersion = choice([1, 2, 'v1', 'v2']).transform((given): 1 | 2 => (given === 1 || given === 'v1' ? 1 : 2));

const upstreamSettings = settings(
  {
    servers: optional(serverList, 'A list of servers: addresses, or settings.'),
    dns: optional(
      dnsDiscovery,
      'The addresses of a name: `name:port`, or settings; looked up again when their TTL ends.',
    ),
    srv: optional(srvDiscovery, 'The servers of a SRV record: its name, or settings.'),
    file: optional(fileDiscovery, 'The path of a JSON file with a list of servers; it is watched.'),
    http: optional(httpDiscovery, 'The URL of a JSON list of servers, or settings.'),
    port: optional(integer(1, 65_535), 'With dns: the port of the servers.'),
    interval: optional(positiveDuration, 'With http: from one request to the next. Default: 10s.'),
    balance: setting(balance, 'How a server is chosen: a method, or settings.', 'round_robin'),
    health: optional(health, 'Checks servers: `tcp`, `tls`, `grpc`, a path for HTTP, or settings.'),
    passive_health: setting(passiveHealth, 'Leaves servers out that fail in use: `true`, or settings.', false),
    tls: setting(upstreamTls, 'TLS to the servers: `true`, or settings.', false),
    http_version: setting(
      choice(['http1', 'http2', 'auto'], { 1.1: 'http1', 'http/1.1': 'http1', h1: 'http1', 2: 'http2', h2: 'http2' }),
      'What is spoken with the servers in HTTP routes; `auto`: what they choose in the TLS handshake.',
      'http1',
    ),
    proxy_protocol: optional(proxyVersion, 'Sends a PROXY header of version 1 or 2.'),
    connect_timeout: setting(positiveDuration, 'Time to connect to a server.', '5s'),
    read_timeout: setting(positiveDuration, 'Time between two reads while a response is due (HTTP).', '60s'),
    write_timeout: setting(
      positiveDuration,
      'Time without progress while a server does not take the request (HTTP).',
      '60s',
    ),
    idle_timeout: setting(duration, 'How long an unused connection is kept (HTTP); 0: not at all.', '60s'),
    max_connections: setting(integer(0, MAX_COUNT), 'Uses of each server at a time; 0: no limit.', 0),
    queue: setting(queue, 'Who may wait when every server is at its limit: how many, or settings.', 0),
    slow_start: setting(duration, 'Time in which a server that has come back gets its full share; 0: at once.', 0),
    panic_threshold: setting(share, 'Share of healthy servers below which health is ignored; 0: never.', 0),
    sticky: optional(sticky, 'Clients stay with their server. Default: they do not.'),
  },
  {
    what: 'an upstream',
    rules: [exactlyOne(SOURCES, 'servers'), placeOfPort, placeOfInterval, versionFits],
    synonyms: {
      server: 'servers',
      backends: 'servers',
      hosts: 'servers',
      addresses: 'servers',
      method: 'balance',
      algorithm: 'balance',
      lb: 'balance',
      policy: 'balance',
      health_check: 'health',
      healthcheck: 'health',
      check: 'health',
      ssl: 'tls',
      keepalive_timeout: 'idle_timeout',
      proxy_connect_timeout: 'connect_timeout',
      proxy_read_timeout: 'read_timeout',
      proxy_send_timeout: 'write_timeout',
      send_timeout: 'write_timeout',
      max_conns: 'max_connections',
      cookie: 'sticky',
      send_proxy: 'proxy_protocol',
    },
    refused: {
      retries: 'it belongs to proxy of a route, or to a tcp listener',
      backup: 'it belongs to a server of the list',
    },
  },
).transform(
  (given): UnnamedUpstream => ({
    balance: given.balance,
    discovery: discoveryOf(given),
    health: given.health?.({ tls: given.tls !== undefined }),
    passiveHealth: given.passive_health,
    tls: given.tls,
    http: given.http_version,
    proxyProtocol: given.proxy_protocol,
    connectTimeoutMs: given.connect_timeout,
    readTimeoutMs: given.read_timeout,
    writeTimeoutMs: given.write_timeout,
    idleTimeoutMs: given.idle_timeout,
    maxConnections: given.max_connections,
    queueSize: given.queue.size,
    queueTimeoutMs: given.queue.timeout,
    slowStartMs: given.slow_start,
    panicThreshold: given.panic_threshold,
    sticky: given.sticky,
  }),
);

/** An upstream: settings, a list of servers, or one address. */
export const upstream: z.ZodType<UnnamedUpstream> = z.union([
  upstreamSettings,
  serverList.transform((servers) => withDefaults(servers)),
  serverAddress.transform((address) => withDefaults([plainServer(address)])),
]);

function withDefaults(servers: readonly UpstreamServerConfig[]): UnnamedUpstream {
  return { ...upstreamSettings.parse({ servers: ['localhost:1'] }), discovery: { kind: 'static', servers } };
}

interface Sources {
  readonly servers?: z.output<typeof serverList> | undefined;
  readonly dns?: z.output<typeof dnsDiscovery> | undefined;
  readonly srv?: z.output<typeof srvDiscovery> | undefined;
  readonly file?: z.output<typeof fileDiscovery> | undefined;
  readonly http?: z.output<typeof httpDiscovery> | undefined;
  readonly port?: number | undefined;
  readonly interval?: number | undefined;
}

function discoveryOf({ servers, dns, srv, file, http, port, interval }: Sources): DiscoveryConfig {
  if (servers !== undefined) return { kind: 'static', servers };
  if (dns !== undefined) return { ...dns, port: dns.port ?? (port as number) };
  if (http !== undefined)
    return { kind: 'http', ...http, intervalMs: http.intervalMs ?? interval ?? DEFAULT_HTTP_INTERVAL_MS };
  return (srv ?? file) as DiscoveryConfig;
}

function placeOfPort({ dns, port }: Readonly<Record<string, unknown>>, refuse: Parameters<Rule>[1]): void {
  const own = typeof dns === 'object' && dns !== null ? (dns as { port?: unknown }).port : undefined;
  if (port !== undefined && dns === undefined)
    refuse(['port'], 'is for dns only: other servers have their ports in their addresses', { key: true });
  else if (port !== undefined && own !== undefined)
    refuse(['port'], 'is said in dns, too: keep one of them', { key: true });
  else if (typeof dns === 'object' && port === undefined && own === undefined)
    refuse(['dns'], 'needs a port: write name:port, or port beside it');
}

function placeOfInterval({ http, interval }: Readonly<Record<string, unknown>>, refuse: Parameters<Rule>[1]): void {
  if (interval !== undefined && http === undefined)
    refuse(['interval'], 'is for discovery by http only; that of checks belongs into health', { key: true });
}

function versionFits({ http_version, tls }: Readonly<Record<string, unknown>>, refuse: Parameters<Rule>[1]): void {
  if (http_version === 'auto' && tls === undefined)
    refuse(['http_version'], 'auto needs tls: without a handshake there is nothing to choose by; write http1 or http2');
}
