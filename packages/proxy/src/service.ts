/**
 * Makes a listening service of a proxy.
 */
import {
  HttpConnectionApp,
  ListeningService,
  type ListeningServiceOptions,
  type ServerConfiguration,
} from '@cirque/core';
import { HttpProxy } from './http-proxy.ts';
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
 * Reads of the configuration: `maxRetries`, `upstreamKeepalivePoolSize`, `clientBindToIpv4`, `clientBindToIpv6` and
 * `accessLog`. Each service has upstream connections of its own.
 * @throws TypeError or RangeError for a proxy without its required phases, or for wrong options.
 */
export function httpProxyService<Ctx>(
  configuration: ServerConfiguration,
  proxy: ProxyPhases<Ctx>,
  options: HttpProxyServiceOptions = {},
): HttpProxyService<Ctx> {
  const { name = 'HTTP proxy', maxConnections, ...own } = options;
  const { maxRetries, upstreamKeepalivePoolSize, clientBindToIpv4, clientBindToIpv6, accessLog } = configuration;
  const configured = { maxRetries, upstreamKeepalivePoolSize, clientBindToIpv4, clientBindToIpv6, accessLog };
  const app = new HttpConnectionApp(new HttpProxy(proxy, { ...configured, ...own }));
  return new ListeningService(name, app, maxConnections === undefined ? {} : { maxConnections });
}
