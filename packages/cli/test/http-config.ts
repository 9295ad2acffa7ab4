/**
 * Configurations of HTTP listeners for tests: everything that a test does not say is as if the file did not say it.
 */
import { silentLogger } from '@cirque/core';
import type {
  HttpActionConfig,
  HttpListenerConfig,
  HttpMatchConfig,
  HttpRouteConfig,
  ProxyActionConfig,
  RewriteConfig,
  UpstreamConfig,
  UpstreamServerConfig,
} from '../src/config/gateway-config.ts';
import { UpstreamGroup } from '../src/upstreams/upstream-group.ts';
import type { UpstreamLookup } from '../src/upstreams/upstream-lookup.ts';

export function listener(
  routes: readonly HttpRouteConfig[],
  more: Partial<HttpListenerConfig> = {},
): HttpListenerConfig {
  return {
    protocol: 'http',
    name: 'web',
    address: '127.0.0.1:0',
    tls: undefined,
    proxyProtocol: undefined,
    maxConnections: 0,
    maxConnectionsPerClient: 0,
    routes,
    http2: true,
    headTimeoutMs: 10_000,
    keepAliveTimeoutMs: 60_000,
    bodyTimeoutMs: 30_000,
    sendTimeoutMs: 60_000,
    requestTimeoutMs: 0,
    tunnelIdleTimeoutMs: 600_000,
    trustedProxies: [],
    forwarded: 'none',
    requestIdHeader: undefined,
    ...more,
  };
}

export interface RouteParts extends Partial<Omit<HttpRouteConfig, 'match' | 'requestHeaders' | 'responseHeaders'>> {
  readonly match?: Partial<HttpMatchConfig>;
  readonly requestHeaders?: Partial<HttpRouteConfig['requestHeaders']>;
  readonly responseHeaders?: Partial<HttpRouteConfig['responseHeaders']>;
}

export function route(
  action: HttpActionConfig,
  { match, requestHeaders, responseHeaders, ...more }: RouteParts = {},
): HttpRouteConfig {
  const nothing = { remove: [], set: {}, add: {} };
  return {
    name: 'route',
    action,
    maxBodyBytes: 0,
    compression: false,
    ...more,
    requestHeaders: { ...nothing, ...requestHeaders },
    responseHeaders: { ...nothing, ...responseHeaders },
    match: {
      hosts: undefined,
      path: undefined,
      exact: undefined,
      regex: undefined,
      methods: undefined,
      headers: {},
      ...match,
    },
  };
}

export function proxyTo(upstream: string, more: Partial<ProxyActionConfig> = {}): ProxyActionConfig {
  return { kind: 'proxy', upstream, rewrite: undefined, host: 'keep', retries: 2, readTimeoutMs: undefined, ...more };
}

export function rewrite(parts: Partial<RewriteConfig>): RewriteConfig {
  return { stripPrefix: undefined, addPrefix: undefined, regex: undefined, replacement: undefined, ...parts };
}

export function respond(status: number, body = ''): HttpActionConfig {
  return { kind: 'respond', status, body, contentType: 'text/plain; charset=utf-8' };
}

export function server(address: string, more: Partial<UpstreamServerConfig> = {}): UpstreamServerConfig {
  return { address, weight: 1, priority: 0, maxConnections: 0, state: 'active', ...more };
}

export function upstream(
  name: string,
  servers: readonly (string | UpstreamServerConfig)[],
  more: Partial<UpstreamConfig> = {},
): UpstreamConfig {
  return {
    name,
    balance: { method: 'round_robin', key: 'client_ip', subset: 0, overload: 0.25, ipv4Prefix: 32, ipv6Prefix: 64 },
    discovery: { kind: 'static', servers: servers.map((one) => (typeof one === 'string' ? server(one) : one)) },
    health: undefined,
    passiveHealth: undefined,
    tls: undefined,
    http: 'http1',
    proxyProtocol: undefined,
    connectTimeoutMs: 5_000,
    readTimeoutMs: 60_000,
    writeTimeoutMs: 60_000,
    idleTimeoutMs: 60_000,
    maxConnections: 0,
    queueSize: 0,
    queueTimeoutMs: 5_000,
    slowStartMs: 0,
    panicThreshold: 0,
    sticky: undefined,
    ...more,
  };
}

/** Groups by name, ready for use. */
export function groups(...configs: readonly UpstreamConfig[]): UpstreamLookup {
  const byName = new Map(configs.map((config) => [config.name, new UpstreamGroup(config, { logger: silentLogger })]));
  return (name) => {
    const group = byName.get(name);
    if (group === undefined) throw new Error(`there is no upstream ${name}`);
    return group;
  };
}
