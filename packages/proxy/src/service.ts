/**
 * Makes a listening service of a proxy.
 */
import {
  HttpConnectionApp,
  ListeningService,
  type ListeningServiceOptions,
  listeningOptionsOf,
  type ServerConfiguration,
} from '@cirque/core';
import { HttpProxy, type LiveProxyOptions } from './http-proxy.ts';
import type { ProxyPhases } from './proxy-http.ts';
import type { HttpProxyOptions } from './proxy-options.ts';

/** Options of {@link httpProxyService}; they go before what the configuration says. */
export interface HttpProxyServiceOptions extends HttpProxyOptions, ListeningServiceOptions {
  /** Name of the service in logs. Default `HTTP proxy`. */
  readonly name?: string;
}

/** A service whose application is a proxy. */
export type HttpProxyService<Ctx> = ListeningService<HttpConnectionApp<HttpProxy<Ctx>>>;

/**
 * A service that proxies HTTP with the given phases.
 *
 * Reads of the configuration: `maxRetries`, `upstreamKeepalivePoolSize`, `clientBindToIpv4`, `clientBindToIpv6`, `caFile`,
 * `upstreamDebugSslKeylog`, `accessLog` and `accessLogFormat`. `maxRetries` and `accessLog` follow it while the service runs.
 * Each service has upstream connections of its own.
 * @throws TypeError or RangeError for a proxy without its required phases, for wrong options, and for a configured file
 * that cannot be used.
 */
export function httpProxyService<Ctx>(
  configuration: ServerConfiguration,
  proxy: ProxyPhases<Ctx>,
  options: HttpProxyServiceOptions = {},
): HttpProxyService<Ctx> {
  const { threads, maxConnections, maxConnectionsPerClient, clientPrefix, overLimit, ...rest } = options;
  const { name = 'HTTP proxy', ...own } = rest;
  const liveOptions = ({ maxRetries, accessLog }: ServerConfiguration): LiveProxyOptions => ({
    maxRetries: own.maxRetries ?? maxRetries,
    accessLog: own.accessLog ?? accessLog,
  });
  const app = new HttpConnectionApp(
    new HttpProxy(proxy, { ...proxyOptionsOf(configuration), ...own }, { liveOptions }),
  );
  return new ListeningService(
    name,
    app,
    listeningOptionsOf({ threads, maxConnections, maxConnectionsPerClient, clientPrefix, overLimit }),
  );
}

function proxyOptionsOf(configuration: ServerConfiguration): HttpProxyOptions {
  const { maxRetries, upstreamKeepalivePoolSize, clientBindToIpv4, clientBindToIpv6, caFile } = configuration;
  const { accessLog, accessLogFormat } = configuration;
  const sources = { clientBindToIpv4, clientBindToIpv6 };
  const options = { maxRetries, upstreamKeepalivePoolSize, ...sources, caFile, accessLog, accessLogFormat };
  return configuration.upstreamDebugSslKeylog ? { ...options, sslKeyLogFile: keyLogFile() } : options;
}

function keyLogFile(): string {
  const path = process.env.SSLKEYLOGFILE;
  if (path !== undefined && path !== '') return path;
  throw new TypeError('configuration upstreamDebugSslKeylog is true, but SSLKEYLOGFILE does not name a file: set it');
}
