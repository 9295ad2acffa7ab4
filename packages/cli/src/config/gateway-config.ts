/**
 * What a configuration file says, checked and complete: times in milliseconds, sizes in bytes, every default filled in.
 *
 * Plain data that structured cloning passes on, as worker threads get it from the main thread. How it is spelled in YAML is schema/.
 */
import type { ServerConfiguration } from '@cirque/core';

/** A whole file. */
export interface GatewayConfig {
  /** The settings of the server: the keys that @cirque/core knows, at the top level of the file. */
  readonly server: ServerConfiguration;
  /** Where statistics and run-time commands are answered: `unix:/path`, or `host:port` of the loopback interface; undefined: nowhere. */
  readonly control: string | undefined;
  readonly listeners: readonly ListenerConfig[];
  /** By name. */
  readonly upstreams: Readonly<Record<string, UpstreamConfig>>;
}

/** What every listener has. */
interface ListenerBase {
  /** Names it in logs and statistics. Default: its address, with `/udp` where it takes datagrams. Unique. */
  readonly name: string;
  /** `host:port`, or `unix:/path`. */
  readonly address: string;
}

/** What listeners of connections have. */
interface ConnectionListener extends ListenerBase {
  readonly tls: ListenerTls | undefined;
  readonly proxyProtocol: ProxyProtocolConfig | undefined;
  /** 0: no limit. */
  readonly maxConnections: number;
  /** 0: no limit. */
  readonly maxConnectionsPerClient: number;
}

/** Something that listens. */
export type ListenerConfig = HttpListenerConfig | TcpListenerConfig | UdpListenerConfig;

/** Speaks HTTP/1.1, and HTTP/2 where the client does. */
export interface HttpListenerConfig extends ConnectionListener {
  readonly protocol: 'http';
  /** The first route that fits serves; none: 404. */
  readonly routes: readonly HttpRouteConfig[];
  readonly http2: boolean;
  readonly headTimeoutMs: number;
  readonly keepAliveTimeoutMs: number;
  /** Between two reads of a request body; 0: no limit. */
  readonly bodyTimeoutMs: number;
  /** Without progress while a client does not take its response; 0: no limit. */
  readonly sendTimeoutMs: number;
  /** From the head to the end of the response; 0: no limit. */
  readonly requestTimeoutMs: number;
  /** How long nothing may pass through a WebSocket or another upgraded connection; 0: no limit. */
  readonly tunnelIdleTimeoutMs: number;
  /** Networks whose X-Forwarded-For and Forwarded are believed. */
  readonly trustedProxies: readonly string[];
  /** What upstreams are told of the client. */
  readonly forwarded: 'none' | 'x-forwarded' | 'forwarded' | 'both';
  /** The field that carries the id of a request; undefined: none. */
  readonly requestIdHeader: string | undefined;
}

/** Passes the bytes of connections on. */
export interface TcpListenerConfig extends ConnectionListener {
  readonly protocol: 'tcp';
  /** The first route that fits; none: the connection is closed. */
  readonly routes: readonly StreamRouteConfig[];
  readonly idleTimeoutMs: number;
  /** The same once one side has ended and the other one has not. */
  readonly halfCloseTimeoutMs: number;
  readonly peekTimeoutMs: number;
  /** Further attempts after a connection could not be made. */
  readonly retries: number;
  /** Bytes per second for each connection; 0: no limit. */
  readonly uploadRate: number;
  readonly downloadRate: number;
}

/** Passes datagrams on. */
export interface UdpListenerConfig extends ListenerBase {
  readonly protocol: 'udp';
  /** The name of the upstream. */
  readonly upstream: string;
  readonly idleTimeoutMs: number;
  /** A session ends when so many datagrams have come back; 0: no such end. */
  readonly responses: number;
  readonly maxSessions: number;
  /** 0: no limit. */
  readonly maxSessionsPerClient: number;
}

/** Certificates of a listener. */
export interface ListenerTls {
  /** The one for clients whose name no entry of `hosts` has. */
  readonly certificate: CertificateConfig | undefined;
  /** By server name: `a.example` or `*.example`. */
  readonly hosts: Readonly<Record<string, CertificateConfig>>;
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
  /** `require`: clients need a certificate of `clientCa`. */
  readonly clientCertificate: 'none' | 'optional' | 'require';
  /** Path of the authorities of clients. */
  readonly clientCa: string | undefined;
}

/** Paths of PEM files. */
export interface CertificateConfig {
  readonly cert: string;
  readonly key: string;
}

/** Who may send a PROXY header. */
export interface ProxyProtocolConfig {
  /** Addresses and networks. */
  readonly trusted: readonly string[];
}

/** Which requests a route is for. Undefined parts fit everything; all given ones must fit. */
export interface HttpMatchConfig {
  /** Names without port: `a.example`, `*.example`. */
  readonly hosts: readonly string[] | undefined;
  /** A path prefix at segment borders: `/api` fits `/api` and `/api/x`, not `/apix`. */
  readonly path: string | undefined;
  /** The whole path, exactly. */
  readonly exact: string | undefined;
  /** A regular expression on the path: one whose time grows at most with the square of the length (schema/safe-regex.ts). */
  readonly regex: string | undefined;
  readonly methods: readonly string[] | undefined;
  /** By lower-case name: an exact value, or a pattern; undefined: the field is present. */
  readonly headers: Readonly<Record<string, HeaderMatchConfig>>;
}

/** What the value of a field must be. */
export interface HeaderMatchConfig {
  readonly exact: string | undefined;
  readonly regex: string | undefined;
  /** True: the field must be there, with any value. False: it must be absent. */
  readonly present: boolean | undefined;
}

/** A route of a HTTP listener. */
export interface HttpRouteConfig {
  /** Names it in logs. Default: `routes[0]` and so on. */
  readonly name: string;
  readonly match: HttpMatchConfig;
  readonly action: HttpActionConfig;
  readonly requestHeaders: HeaderEditsConfig;
  readonly responseHeaders: HeaderEditsConfig;
  /** Bytes; 0: no limit. A larger body gets 413. */
  readonly maxBodyBytes: number;
  readonly compression: boolean;
}

/** What becomes of a request. */
export type HttpActionConfig = ProxyActionConfig | RedirectActionConfig | RespondActionConfig;

/** Passes it to an upstream. */
export interface ProxyActionConfig {
  readonly kind: 'proxy';
  readonly upstream: string;
  readonly rewrite: RewriteConfig | undefined;
  /** Host to send. `keep`: the client's; `upstream`: that of the server chosen; other text: itself. */
  readonly host: string;
  /** Further attempts after a failure that allows them. */
  readonly retries: number;
  /** Undefined: that of the upstream. */
  readonly readTimeoutMs: number | undefined;
}

/** Changes the path. */
export interface RewriteConfig {
  /** Removed from the front of the path; what is left begins with a slash. */
  readonly stripPrefix: string | undefined;
  readonly addPrefix: string | undefined;
  /** Replaced by `replacement`, in which $1 and so on are groups. */
  readonly regex: string | undefined;
  readonly replacement: string | undefined;
}

/** Sends the client elsewhere. */
export interface RedirectActionConfig {
  readonly kind: 'redirect';
  /** `${scheme}`, `${host}`, `${path}`, `${query}` (with its question mark) and `$1` of the regex stand for parts of the request. */
  readonly location: string;
  readonly status: 301 | 302 | 303 | 307 | 308;
}

/** Answers by itself. */
export interface RespondActionConfig {
  readonly kind: 'respond';
  readonly status: number;
  readonly body: string;
  readonly contentType: string;
}

/** Changes to the fields of a head, in this order. Values may hold the variables of schema/template.ts; `$${` is a plain `${`. */
export interface HeaderEditsConfig {
  readonly remove: readonly string[];
  readonly set: Readonly<Record<string, string>>;
  readonly add: Readonly<Record<string, string>>;
}

/** A route of a TCP listener. Undefined parts fit everything. */
export interface StreamRouteConfig {
  readonly name: string;
  /** Server names of the TLS handshake: `a.example`, `*.example`. */
  readonly sni: readonly string[] | undefined;
  /** A protocol that the client offers by ALPN. */
  readonly alpn: readonly string[] | undefined;
  /** The Host of a HTTP/1 request. */
  readonly httpHost: readonly string[] | undefined;
  /** The first bytes, latin1. */
  readonly prefix: string | undefined;
  /** Networks of clients. */
  readonly clients: readonly string[] | undefined;
  readonly upstream: string;
}

/** A group of servers. */
export interface UpstreamConfig {
  readonly name: string;
  readonly balance: BalanceConfig;
  readonly discovery: DiscoveryConfig;
  readonly health: HealthConfig | undefined;
  readonly passiveHealth: PassiveHealthConfig | undefined;
  readonly tls: UpstreamTlsConfig | undefined;
  /** The version that is spoken with the servers (HTTP routes only). */
  readonly http: 'http1' | 'http2' | 'auto';
  /** A PROXY header for the servers; undefined: none. */
  readonly proxyProtocol: 1 | 2 | undefined;
  readonly connectTimeoutMs: number;
  readonly readTimeoutMs: number;
  readonly writeTimeoutMs: number;
  readonly idleTimeoutMs: number;
  /** Uses of one server at a time; 0: no limit. A server's own number comes first. */
  readonly maxConnections: number;
  /** How many may wait when every server is at its limit, and how long. */
  readonly queueSize: number;
  readonly queueTimeoutMs: number;
  /** Time over which a server that has come back gets its full share; 0: at once. */
  readonly slowStartMs: number;
  /** Below this share of healthy servers health is ignored; 0: never. */
  readonly panicThreshold: number;
  readonly sticky: StickyConfig | undefined;
}

/** The methods of balancing, as they are spelled in a file. */
export type BalanceMethod =
  | 'round_robin'
  | 'random'
  | 'least_connections'
  | 'power_of_two'
  | 'peak_ewma'
  | 'source_ip'
  | 'fnv'
  | 'consistent'
  | 'bounded_consistent'
  | 'rendezvous'
  | 'maglev';

/** How a server is chosen. */
export interface BalanceConfig {
  readonly method: BalanceMethod;
  /**
   * What hashing methods hash: `client_ip`, `uri`, `path`, `host`, `header:Name`, `cookie:name`. Streams have `client_ip` and `sni`.
   * Default `client_ip`.
   */
  readonly key: string;
  /** Only so many of the servers are used by this gateway, the same ones each time; 0: all. */
  readonly subset: number;
  /** `bounded_consistent`: how much more than the average a server may get. Default 0.25. */
  readonly overload: number;
  /** `source_ip`: clients whose addresses have so many first bits in common have one server. Default 32 and 64. */
  readonly ipv4Prefix: number;
  readonly ipv6Prefix: number;
}

/** Clients stay with their server. */
export type StickyConfig =
  | {
      readonly kind: 'cookie';
      readonly name: string;
      readonly ttlMs: number;
      readonly secret: string | undefined;
      readonly secure: boolean;
      readonly path: string;
      readonly sameSite: 'lax' | 'strict' | 'none' | undefined;
    }
  | { readonly kind: 'source'; readonly ttlMs: number; readonly maxEntries: number };

/** One server of a static list. */
export interface UpstreamServerConfig {
  readonly address: string;
  readonly weight: number;
  /** 0: first of all. */
  readonly priority: number;
  readonly maxConnections: number;
  readonly state: 'active' | 'draining' | 'maintenance';
}

/** Where the servers come from. */
export type DiscoveryConfig =
  | { readonly kind: 'static'; readonly servers: readonly UpstreamServerConfig[] }
  | { readonly kind: 'file'; readonly path: string }
  | {
      readonly kind: 'dns';
      readonly name: string;
      readonly port: number;
      readonly family: 'any' | 4 | 6;
      readonly nameservers: readonly string[];
      readonly minTtlMs: number;
      readonly maxTtlMs: number;
    }
  | {
      readonly kind: 'srv';
      readonly name: string;
      readonly nameservers: readonly string[];
      readonly minTtlMs: number;
      readonly maxTtlMs: number;
    }
  | {
      readonly kind: 'http';
      readonly url: string;
      readonly intervalMs: number;
      readonly headers: Readonly<Record<string, string>>;
    };

/** What active checks have in common. */
interface HealthBase {
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** Failures in a row until a server is unhealthy, successes in a row until it is healthy again. */
  readonly unhealthyAfter: number;
  readonly healthyAfter: number;
}

/** An active check. */
export type HealthConfig =
  | (HealthBase & { readonly kind: 'tcp' })
  | (HealthBase & { readonly kind: 'tls'; readonly sni: string | undefined; readonly verify: boolean })
  | (HealthBase & {
      readonly kind: 'http';
      readonly path: string;
      readonly host: string | undefined;
      readonly method: 'GET' | 'HEAD';
      readonly statuses: readonly (readonly [from: number, to: number])[];
      /** Text that the body must hold. */
      readonly body: string | undefined;
      readonly tls: boolean;
    })
  | (HealthBase & { readonly kind: 'grpc'; readonly service: string; readonly tls: boolean });

/** Servers that fail in use are left out for a while. */
export interface PassiveHealthConfig {
  readonly consecutiveFailures: number;
  readonly errorRate: number;
  readonly minimumVolume: number;
  readonly intervalMs: number;
  readonly baseEjectionMs: number;
  readonly maxEjectionMs: number;
  readonly maxEjectedShare: number;
}

/** TLS to the servers. */
export interface UpstreamTlsConfig {
  /** The name to send and to verify; undefined: that of the server, or the Host of the request. */
  readonly sni: string | undefined;
  readonly verify: boolean;
  /** Path of the authorities. */
  readonly ca: string | undefined;
  readonly clientCertificate: CertificateConfig | undefined;
}
