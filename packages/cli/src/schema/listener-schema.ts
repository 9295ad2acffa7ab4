/**
 * Listeners: http, tcp, udp.
 */
import { z } from 'zod';
import type { HttpActionConfig, ListenerConfig, ProxyProtocolConfig } from '../config/gateway-config.ts';
import { listenAddress, network } from './address-values.ts';
import { choice, flag, integer } from './basic-values.ts';
import { proxyTo, redirectAction, respondAction } from './http-action-schema.ts';
import { catchAll, groupsOfMatch, httpRoute } from './http-route-schema.ts';
import { anyNumber, oneOrMore } from './lists.ts';
import { headerName, plainName, upstreamName } from './name-values.ts';
import { duration, positiveDuration, size } from './quantities.ts';
import { exactlyOne, optional, required, type SettingsOptions, setting, settings } from './settings.ts';
import { streamRoute, streamTo } from './stream-route-schema.ts';
import { listenerTls } from './tls-schema.ts';

const MAX_CONNECTIONS = 1_000_000_000;

/** The protocols of listeners. */
export const PROTOCOLS: readonly ['http', 'tcp', 'udp'] = ['http', 'tcp', 'udp'];

const SYNONYMS: SettingsOptions['synonyms'] = {
  listen: 'address',
  bind: 'address',
  port: 'address',
  location: 'routes',
  locations: 'routes',
  proxy: 'upstream',
  proxy_pass: 'upstream',
  backend: 'upstream',
  ssl: 'tls',
  mode: 'protocol',
  type: 'protocol',
  proxy_timeout: 'idle_timeout',
  timeout: 'idle_timeout',
  keepalive_timeout: 'keep_alive_timeout',
  limit_conn: 'max_connections',
  maxconn: 'max_connections',
};

const proxyProtocol: z.ZodType<ProxyProtocolConfig> = z.union([
  oneOrMore(network).transform((trusted): ProxyProtocolConfig => ({ trusted })),
  settings(
    { trusted: required(oneOrMore(network), 'Addresses and networks whose PROXY headers are believed.') },
    { what: 'the PROXY protocol of a listener' },
  ),
]);

const common = {
  name: optional(plainName, 'Names the listener in logs and statistics. Default: its address.'),
  address: required(
    listenAddress,
    '`host:port`, `:port` (all addresses of both families), a port alone, `[ipv6]:port`, or `unix:/path`.',
  ),
};

const connections = {
  ...common,
  tls: optional(listenerTls, 'Certificates; connections are TLS then.'),
  proxy_protocol: optional(
    proxyProtocol,
    'Networks of balancers in front that send a PROXY header, version 1 or 2. Default: none is expected.',
  ),
  max_connections: setting(integer(0, MAX_CONNECTIONS), 'Connections at a time; 0: no limit.', 0),
  max_connections_per_client: setting(
    integer(0, MAX_CONNECTIONS),
    'Connections of one client address at a time; 0: no limit.',
    0,
  ),
};

const requestIdHeader = z.union([flag.transform((on) => (on ? 'X-Request-ID' : undefined)), headerName]);

const http = settings(
  {
    ...connections,
    protocol: protocolIs('http').prefault('http'),
    upstream: optional(upstreamName, 'Short form: one route that passes everything to this upstream.'),
    redirect: optional(redirectAction, 'Short form: one route that sends everybody elsewhere.'),
    respond: optional(respondAction, 'Short form: one route that answers everything.'),
    routes: optional(z.array(httpRoute).min(1), 'The first one that fits serves; none: 404.'),
    http2: setting(flag, 'Speaks HTTP/2 with clients that ask for it in the TLS handshake.', true),
    head_timeout: setting(positiveDuration, 'Time for the head of a request; then 408.', '10s'),
    keep_alive_timeout: setting(positiveDuration, 'How long a connection without a request is kept.', '60s'),
    body_timeout: setting(duration, 'Between two reads of a request body; then 408. 0: no limit.', '30s'),
    send_timeout: setting(duration, 'How long a client may take nothing of its response; 0: no limit.', '60s'),
    request_timeout: setting(duration, 'From the head of a request to the end of its response; 0: no limit.', 0),
    tunnel_idle_timeout: setting(
      duration,
      'How long nothing may pass through a WebSocket, or another upgraded connection; 0: no limit.',
      '10m',
    ),
    trusted_proxies: setting(
      anyNumber(network),
      'Networks of proxies in front, whose X-Forwarded-For and Forwarded are believed.',
      [],
    ),
    forwarded: setting(
      choice(['none', 'x-forwarded', 'forwarded', 'both'], {
        x_forwarded: 'x-forwarded',
        x_forwarded_for: 'x-forwarded',
      }),
      'Headers that tell upstreams of the client: X-Forwarded-*, Forwarded (RFC 7239), both, or none.',
      'x-forwarded',
    ),
    request_id_header: optional(
      requestIdHeader,
      'The header with the id of a request, kept or made: its name, or `true` for X-Request-ID.',
    ),
  },
  {
    what: 'a http listener',
    rules: [exactlyOne(['routes', 'upstream', 'redirect', 'respond'], 'something to do with requests'), groupsOfMatch],
    synonyms: { ...SYNONYMS, client_header_timeout: 'head_timeout', client_body_timeout: 'body_timeout' },
    refused: {
      idle_timeout: 'it is called keep_alive_timeout here; idle_timeout belongs to tcp and udp',
      responses: 'it belongs to protocol: udp',
      max_sessions: 'it belongs to protocol: udp',
      retries: 'it belongs to proxy: { upstream: ..., retries: ... } of a route',
    },
  },
).transform(({ name, address, tls, proxy_protocol, upstream, redirect, respond, routes, ...rest }): ListenerConfig => {
  const action = upstream === undefined ? (redirect ?? respond) : proxyTo(upstream);
  const all = routes ?? [catchAll(action as HttpActionConfig)];
  return {
    protocol: 'http',
    name: name ?? address,
    address,
    tls,
    proxyProtocol: proxy_protocol,
    maxConnections: rest.max_connections,
    maxConnectionsPerClient: rest.max_connections_per_client,
    routes: all.map((route, index) => ({ ...route, name: route.name ?? `routes[${index}]` })),
    http2: rest.http2,
    headTimeoutMs: rest.head_timeout,
    keepAliveTimeoutMs: rest.keep_alive_timeout,
    bodyTimeoutMs: rest.body_timeout,
    sendTimeoutMs: rest.send_timeout,
    requestTimeoutMs: rest.request_timeout,
    tunnelIdleTimeoutMs: rest.tunnel_idle_timeout,
    trustedProxies: rest.trusted_proxies,
    forwarded: rest.forwarded,
    requestIdHeader: rest.request_id_header,
  };
});

const tcp = settings(
  {
    ...connections,
    protocol: protocolIs('tcp'),
    upstream: optional(upstreamName, 'Short form: one route that passes everything to this upstream.'),
    routes: optional(z.array(streamRoute).min(1), 'The first one that fits; none: the connection is closed.'),
    idle_timeout: setting(positiveDuration, 'How long a connection on which nothing moves is kept.', '10m'),
    half_close_timeout: optional(
      positiveDuration,
      'The same once one side has ended and the other one has not. Default: idle_timeout.',
    ),
    peek_timeout: setting(positiveDuration, 'How long the first bytes may take where routes look at them.', '5s'),
    retries: setting(integer(0, 100), 'Further attempts after a connection to a server could not be made.', 3),
    upload_rate: setting(size, 'Bytes per second from each client; 0: no limit.', 0),
    download_rate: setting(size, 'Bytes per second to each client; 0: no limit.', 0),
  },
  {
    what: 'a tcp listener',
    rules: [exactlyOne(['routes', 'upstream'], 'an upstream')],
    synonyms: SYNONYMS,
    refused: {
      http2: 'it belongs to protocol: http',
      redirect: 'it belongs to protocol: http',
      respond: 'it belongs to protocol: http',
      forwarded:
        'it belongs to protocol: http; upstreams of tcp are told of the client by proxy_protocol of the upstream',
      keep_alive_timeout: 'it is called idle_timeout here',
    },
  },
).transform(
  ({ name, address, tls, proxy_protocol, upstream, routes, ...rest }): ListenerConfig => ({
    protocol: 'tcp',
    name: name ?? address,
    address,
    tls,
    proxyProtocol: proxy_protocol,
    maxConnections: rest.max_connections,
    maxConnectionsPerClient: rest.max_connections_per_client,
    routes: (routes ?? [streamTo(upstream as string)]).map((route, index) => ({
      ...route,
      name: route.name ?? `routes[${index}]`,
    })),
    idleTimeoutMs: rest.idle_timeout,
    halfCloseTimeoutMs: rest.half_close_timeout ?? rest.idle_timeout,
    peekTimeoutMs: rest.peek_timeout,
    retries: rest.retries,
    uploadRate: rest.upload_rate,
    downloadRate: rest.download_rate,
  }),
);

const udp = settings(
  {
    ...common,
    name: optional(plainName, 'Names the listener in logs and statistics. Default: its address with `/udp`.'),
    protocol: protocolIs('udp'),
    upstream: required(upstreamName, 'The name of the upstream.'),
    idle_timeout: setting(positiveDuration, 'A session ends when nothing has moved for this time.', '60s'),
    responses: setting(
      integer(0, 1_000_000),
      'A session ends when so many datagrams have come back: 1 for DNS. 0: no such end.',
      0,
    ),
    max_sessions: setting(
      integer(1, 1_000_000),
      'Sessions at a time; the one least used makes room for a new one.',
      65_536,
    ),
    max_sessions_per_client: setting(
      integer(0, 1_000_000),
      'Sessions of one client address at a time; 0: no limit. What comes beyond is dropped.',
      0,
    ),
  },
  {
    what: 'a udp listener',
    rules: [noUnixSocket],
    synonyms: { ...SYNONYMS, proxy_responses: 'responses' },
    refused: {
      tls: 'datagrams are passed on as they are, DTLS and QUIC included; TLS needs protocol: tcp or http',
      routes: 'a udp listener has one upstream',
      proxy_protocol: 'it belongs to connections; datagrams have none',
      max_connections: 'it is called max_sessions here',
      max_connections_per_client: 'it is called max_sessions_per_client here',
    },
  },
).transform(
  ({ name, address, upstream, idle_timeout, responses, ...rest }): ListenerConfig => ({
    protocol: 'udp',
    // The same address may be one of tcp, too.
    name: name ?? `${address}/udp`,
    address,
    upstream,
    idleTimeoutMs: idle_timeout,
    responses,
    maxSessions: rest.max_sessions,
    maxSessionsPerClient: rest.max_sessions_per_client,
  }),
);

/** A listener of any protocol. */
export const listener: z.ZodType<ListenerConfig> = z.discriminatedUnion('protocol', [http, tcp, udp]);

function protocolIs<const P extends string>(protocol: P): z.ZodLiteral<P> {
  return z.literal(protocol).describe('What it speaks: `http`, `tcp` or `udp`.');
}

function noUnixSocket(
  given: Readonly<Record<string, unknown>>,
  refuse: (path: string[], message: string) => void,
): void {
  if (typeof given.address === 'string' && given.address.startsWith('unix:'))
    refuse(['address'], 'must be host:port: datagrams do not go over unix sockets here');
}
