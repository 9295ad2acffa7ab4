/**
 * A proxy that listens on a free port of the loopback address, as a server would run it.
 */
import { type Logger, type ServerConfiguration, serverConfiguration } from '@cirque/core';
import type { ProxyPhases } from '../src/proxy-http.ts';
import type { ProxyStats } from '../src/request-counters.ts';
import { type HttpProxyServiceOptions, httpProxyService } from '../src/service.ts';
import { type LogLine, recordingLogger } from '../src/testing/recorder.ts';

export interface ListeningProxy {
  readonly port: number;
  readonly logs: readonly LogLine[];
  readonly stats: ProxyStats;
  readonly openConnections: number;
  /** Stops at once, and resolves when every client connection is closed. */
  close(): Promise<void>;
}

export async function listen<Ctx>(
  phases: ProxyPhases<Ctx>,
  options: HttpProxyServiceOptions = {},
  configuration: ServerConfiguration = serverConfiguration(),
): Promise<ListeningProxy> {
  const service = httpProxyService(configuration, phases, options);
  service.addTcp('127.0.0.1:0');
  const stop = new AbortController();
  const logs: LogLine[] = [];
  const logger: Logger = recordingLogger(logs);
  const { promise: ready, resolve } = Promise.withResolvers<void>();
  const { signal } = stop;
  const running = service.start({ shutdown: signal, fast: signal, logger, configuration, ready: resolve });
  await Promise.race([ready, running]);
  const [endpoint] = service.endpoints;
  if (endpoint === undefined || !('port' in endpoint)) throw new Error('the proxy does not listen on TCP');
  return {
    port: endpoint.port,
    logs,
    get stats() {
      return service.app.app.stats();
    },
    get openConnections() {
      return service.openConnections;
    },
    async close() {
      stop.abort();
      await running;
    },
  };
}
