/**
 * Makes a listening service of a TCP proxy.
 */
import {
  ListeningService,
  type ListeningServiceOptions,
  listeningOptionsOf,
  type ServerConfiguration,
} from '@cirque/core';
import type { StreamOptions } from './stream-options.ts';
import type { StreamPhases } from './stream-proxy.ts';
import { type LiveStreamOptions, TcpApp } from './tcp/tcp-app.ts';

/** Options of {@link streamProxyService}; they go before what the configuration says. */
export interface StreamServiceOptions extends StreamOptions, ListeningServiceOptions {
  /** Name of the service in logs. Default `TCP proxy`. */
  readonly name?: string;
}

/** A service whose application is a TCP proxy. */
export type StreamProxyService<Ctx> = ListeningService<TcpApp<Ctx>>;

/**
 * A service that proxies TCP connections, and those of unix sockets, with the given phases.
 *
 * Reads of the configuration: `maxRetries`, `clientBindToIpv4`, `clientBindToIpv6`, `caFile` and `accessLog` (lines are JSON,
 * whatever `accessLogFormat` says). `maxRetries` and `accessLog` follow it while the service runs. When the service stops,
 * connections go on for `tunnelGracePeriodSeconds`.
 * @throws TypeError or RangeError for a proxy without its required phases, for wrong options, and for a configured file
 * that cannot be used.
 */
export function streamProxyService<Ctx>(
  configuration: ServerConfiguration,
  proxy: StreamPhases<Ctx>,
  options: StreamServiceOptions = {},
): StreamProxyService<Ctx> {
  const { threads, maxConnections, maxConnectionsPerClient, clientPrefix, overLimit, ...rest } = options;
  const { name = 'TCP proxy', ...own } = rest;
  const { maxRetries, clientBindToIpv4, clientBindToIpv6, caFile, accessLog } = configuration;
  const liveOptions = (live: ServerConfiguration): LiveStreamOptions => ({
    maxRetries: own.maxRetries ?? live.maxRetries,
    accessLog: own.accessLog ?? live.accessLog,
  });
  const configured = { maxRetries, clientBindToIpv4, clientBindToIpv6, caFile, accessLog };
  const service = new ListeningService(
    name,
    new TcpApp(proxy, { ...configured, ...own }, { liveOptions }),
    listeningOptionsOf({ threads, maxConnections, maxConnectionsPerClient, clientPrefix, overLimit }),
  );
  if (proxy.connectionFilter === undefined) return service;
  return service.setConnectionFilter((client) => proxy.connectionFilter?.(client) ?? true);
}
