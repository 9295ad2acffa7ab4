/**
 * A proxy that listens on a free port of the loopback address, as a server would run it.
 */
import { Server, type ServerConfiguration } from '@cirque/core';
import type { ProxyPhases } from '../src/proxy-http.ts';
import type { ProxyStats } from '../src/request-counters.ts';
import { type HttpProxyService, type HttpProxyServiceOptions, httpProxyService } from '../src/service.ts';
import { type LogLine, recordingLogger } from '../src/testing/recorder.ts';

export interface ListeningProxy {
  readonly port: number;
  readonly logs: readonly LogLine[];
  readonly stats: ProxyStats;
  readonly service: HttpProxyService<unknown>;
  readonly openConnections: number;
  /** Stops at once, and resolves when every client connection is closed. */
  close(): Promise<void>;
}

export async function listen<Ctx>(
  phases: ProxyPhases<Ctx>,
  options: HttpProxyServiceOptions = {},
  configuration: Partial<ServerConfiguration> = {},
): Promise<ListeningProxy> {
  const logs: LogLine[] = [];
  const server = new Server({ logger: recordingLogger(logs) }, configuration);
  const service = httpProxyService(server.configuration, phases, options);
  service.addTcp('127.0.0.1:0');
  server.addService(service);
  const { promise: ready, resolve } = Promise.withResolvers<void>();
  server.onPhase((phase) => {
    if (phase === 'Running') resolve();
  });
  const stop = new AbortController();
  const running = server.run({ signal: stop.signal, fast: stop.signal });
  await Promise.race([ready, running]);
  const [endpoint] = service.endpoints;
  if (endpoint === undefined || !('port' in endpoint)) throw new Error('the proxy does not listen on TCP');
  return {
    port: endpoint.port,
    service: service as HttpProxyService<unknown>,
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
