/**
 * TCP proxies that listen on the loopback address, as a server would run them, for the length of a test.
 */
import {
  type ListeningAddress,
  Server,
  type ServerConfiguration,
  type TcpSocketOptions,
  type TlsSettings,
} from '@cirque/core';
import type { StreamPhases } from '../src/stream-proxy.ts';
import { type StreamProxyService, type StreamServiceOptions, streamProxyService } from '../src/stream-service.ts';
import type { StreamStats } from '../src/tcp/tcp-counters.ts';
import { type LogLine, recordingLogger } from './recording-logger.ts';

/** Where it listens; default a free port of 127.0.0.1, in plain. */
export interface Site {
  readonly options?: StreamServiceOptions;
  readonly configuration?: Partial<ServerConfiguration>;
  readonly path?: string;
  readonly tls?: TlsSettings;
  readonly socket?: TcpSocketOptions;
}

/** See the file's head. */
export class RunningStream<Ctx> {
  readonly service: StreamProxyService<Ctx>;
  readonly logs: LogLine[] = [];
  readonly #graceful = new AbortController();
  readonly #fast = new AbortController();
  readonly #server: Server;
  #running: Promise<void> = Promise.resolve();

  private constructor(phases: StreamPhases<Ctx>, { options, configuration, path, tls, socket }: Site) {
    this.#server = new Server({ logger: recordingLogger(this.logs) }, configuration);
    this.service = streamProxyService(this.#server.configuration, phases, options);
    if (path !== undefined) this.service.addUds(path);
    else if (tls !== undefined) this.service.addTlsWithSettings('127.0.0.1:0', tls, socket);
    else this.service.addTcp('127.0.0.1:0', socket);
    this.#server.addService(this.service);
  }

  static async start<Ctx>(phases: StreamPhases<Ctx>, site: Site = {}): Promise<RunningStream<Ctx>> {
    const running = new RunningStream(phases, site);
    const { promise: ready, resolve } = Promise.withResolvers<void>();
    running.#server.onPhase((phase) => {
      if (phase === 'Running') resolve();
    });
    running.#running = running.#server.run({ signal: running.#graceful.signal, fast: running.#fast.signal });
    await Promise.race([ready, running.#running]);
    return running;
  }

  /** Where clients connect to. */
  get address(): { host: string; port: number } {
    const [endpoint] = this.service.endpoints as readonly (ListeningAddress & { port?: number })[];
    if (endpoint?.port === undefined) throw new Error('the proxy does not listen on TCP');
    return { host: '127.0.0.1', port: endpoint.port };
  }

  get stats(): StreamStats {
    return this.service.app.stats().stream;
  }

  /** As SIGTERM does. */
  stop(): Promise<void> {
    this.#graceful.abort();
    return this.#running;
  }

  /** Stops at once. */
  close(): Promise<void> {
    this.#fast.abort();
    return this.#running;
  }
}
