/**
 * One listener of the file as a service, with a table of routes that can be swapped while it runs.
 */
import type { ListeningService, ServerConfiguration, Service, TcpSocketOptions } from '@cirque/core';
import { httpProxyService } from '@cirque/proxy';
import { streamProxyService, udpProxyService } from '@cirque/stream';
import { isUnixAddress, parseAddress } from '@cirque/transport';
import type {
  HttpListenerConfig,
  ListenerConfig,
  TcpListenerConfig,
  UdpListenerConfig,
} from '../config/gateway-config.ts';
import { HttpRoutes } from '../http/http-routes.ts';
import type { UpstreamLookup } from '../upstreams/upstream-lookup.ts';
import { tlsSettingsOf } from './listener-tls.ts';
import { looksAtBytes, StreamRoutes } from './stream-routes.ts';
import { UdpRoute } from './udp-route.ts';

/** See the file's head. */
export interface GatewayListener {
  readonly name: string;
  readonly service: Service;
  /** All that a reload cannot change without another service, as text to compare. */
  readonly settings: string;
  /** What it listens on, whatever it is called. */
  readonly place: string;
  /**
   * Makes another table ready; calling the result puts it into its place, and what has begun goes on as it began. Settings must be
   * the same.
   *
   * @throws TypeError for what the checks of the file have let through; nothing has changed then.
   */
  prepare(config: ListenerConfig, upstreams: UpstreamLookup): () => void;
}

type Prepare = GatewayListener['prepare'];

/** Makes the service of a listener. @throws TypeError or RangeError for what the checks of the file have let through. */
export function gatewayListener(
  config: ListenerConfig,
  upstreams: UpstreamLookup,
  configuration: ServerConfiguration,
): GatewayListener {
  const { name } = config;
  const same = { name, settings: settingsOf(config), place: placeOf(config) };
  switch (config.protocol) {
    case 'http': {
      const routes = new HttpRoutes(config, upstreams);
      const prepare: Prepare = (next, lookup) => routes.prepare(next as HttpListenerConfig, lookup);
      return { ...same, service: httpListener(config, routes, configuration), prepare };
    }
    case 'tcp': {
      const routes = StreamRoutes.of(config, upstreams);
      const prepare: Prepare = (next, lookup) => routes.prepare(next as TcpListenerConfig, lookup);
      return { ...same, service: tcpListener(config, routes, configuration), prepare };
    }
    case 'udp': {
      const route = new UdpRoute(config, upstreams);
      const prepare: Prepare = (next, lookup) => route.prepare(next as UdpListenerConfig, lookup);
      return { ...same, service: udpListener(config, route, configuration), prepare };
    }
  }
}

/** What a listener of this configuration listens on: no two have the same. */
export function placeOf({ address, protocol }: ListenerConfig): string {
  return `${protocol === 'udp' ? 'udp' : 'stream'} ${address}`;
}

/** What routes do not cover. */
export function settingsOf(config: ListenerConfig): string {
  if (config.protocol === 'udp') return JSON.stringify({ ...config, upstream: undefined });
  if (config.protocol === 'http') return JSON.stringify({ ...config, routes: undefined });
  // Whether the first bytes are looked at is decided when the service is made.
  return JSON.stringify({ ...config, retries: undefined, routes: looksAtBytes(config) });
}

function httpListener(
  config: HttpListenerConfig,
  routes: HttpRoutes,
  configuration: ServerConfiguration,
): ListeningService {
  const { headTimeoutMs, http2, keepAliveTimeoutMs, name, tls } = config;
  const { requestIdHeader, requestTimeoutMs, trustedProxies, tunnelIdleTimeoutMs } = config;
  const service = httpProxyService(configuration, routes, {
    name,
    ...limitsOf(config),
    requestTimeoutMs,
    tunnelIdleTimeoutMs,
    trustedProxies,
    ...(requestIdHeader === undefined ? {} : { requestIdHeader }),
    server: {
      headTimeoutMs,
      readTimeoutMs: config.bodyTimeoutMs,
      writeTimeoutMs: config.sendTimeoutMs,
      idleTimeoutMs: keepAliveTimeoutMs,
      h2c: http2 && tls === undefined,
    },
  });
  listen(service, config, http2);
  return service;
}

function tcpListener(
  config: TcpListenerConfig,
  routes: StreamRoutes,
  configuration: ServerConfiguration,
): ListeningService {
  const { downloadRate, halfCloseTimeoutMs, idleTimeoutMs, name, peekTimeoutMs, uploadRate } = config;
  const times = { idleTimeoutMs, halfCloseTimeoutMs, peekTimeoutMs };
  const options = { name, ...times, uploadRate, downloadRate, ...limitsOf(config) };
  const service = streamProxyService(configuration, routes, options);
  listen(service, config, undefined);
  return service;
}

function udpListener(config: UdpListenerConfig, route: UdpRoute, configuration: ServerConfiguration): Service {
  const { address, idleTimeoutMs, maxSessions, maxSessionsPerClient, name, responses } = config;
  const options = { name, idleTimeoutMs, maxSessions, maxSessionsPerClient, responses };
  const service = udpProxyService(configuration, route, options);
  service.addUdp(address);
  return service;
}

/** 0 in a file is no limit. */
function limitsOf({ maxConnections, maxConnectionsPerClient }: HttpListenerConfig | TcpListenerConfig): {
  maxConnections?: number;
  maxConnectionsPerClient?: number;
} {
  return {
    ...(maxConnections === 0 ? {} : { maxConnections }),
    ...(maxConnectionsPerClient === 0 ? {} : { maxConnectionsPerClient }),
  };
}

function listen(
  service: ListeningService,
  { address: text, proxyProtocol, tls }: HttpListenerConfig | TcpListenerConfig,
  http2: boolean | undefined,
): void {
  const options: TcpSocketOptions =
    proxyProtocol === undefined ? {} : { proxyProtocol: 'required', trustedSources: proxyProtocol.trusted };
  const address = parseAddress(text);
  if (tls !== undefined) service.addTlsWithSettings(text, tlsSettingsOf(tls, http2), options);
  else if (isUnixAddress(address)) service.addUds(address.path, options);
  else service.addTcp(address, options);
}
