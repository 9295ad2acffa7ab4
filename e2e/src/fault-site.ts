/**
 * The proxy of one cell of the fault matrix: in this process, on a clock that the cell moves by hand.
 */
import { HttpConnectionApp, ListeningService, type Logger, Server, TlsSettings } from '@cirque/core';
import { HttpPeer, type PeerOptions } from '@cirque/pool';
import { defineProxy, HttpProxy, type HttpProxyOptions, type ProxyStats } from '@cirque/proxy';
import { TestClock } from '@cirque/proxy/testing';
import type { Pair } from './fault.ts';
import { authority, certificate, SITE_NAME } from './fault-socket.ts';

/** Connections that are kept must be there still when a fault was waited for. */
const FOR_LONG_MS = 600_000;

export interface FaultSiteOptions {
  readonly upstreamPort: number;
  readonly proxy: HttpProxyOptions;
  readonly peer: PeerOptions;
  readonly handshakeTimeoutMs: number;
}

export class FaultSite {
  readonly clock: TestClock;
  /** One line per line of the log, in the form that {@link describeLine} gives it. */
  readonly log: string[];
  readonly #service: ListeningService<HttpConnectionApp<HttpProxy>>;
  readonly #stop: AbortController;
  readonly #running: Promise<void>;

  private constructor(
    clock: TestClock,
    log: string[],
    service: ListeningService<HttpConnectionApp<HttpProxy>>,
    stop: AbortController,
    running: Promise<void>,
  ) {
    this.clock = clock;
    this.log = log;
    this.#service = service;
    this.#stop = stop;
    this.#running = running;
  }

  static async start(pair: Pair, options: FaultSiteOptions): Promise<FaultSite> {
    const clock = new TestClock();
    const log: string[] = [];
    const logger = loggerTo(log);
    const tls = pair.tls ? { tls: true, sni: SITE_NAME, ca: authority.cert } : {};
    const peer = new HttpPeer(`127.0.0.1:${options.upstreamPort}`, {
      alpn: pair.origin,
      idleTimeoutMs: FOR_LONG_MS,
      ...tls,
      ...options.peer,
    });
    const serverOptions = { h2c: true, idleTimeoutMs: FOR_LONG_MS, ...options.proxy.server };
    const proxyOptions = { ...options.proxy, accessLog: true, server: serverOptions };
    const internals = { wheel: clock.wheel, logger };
    const proxy = new HttpProxy(defineProxy({ upstreamPeer: () => peer }), proxyOptions, internals);
    const service = new ListeningService('site', new HttpConnectionApp(proxy, clock.wheel));
    if (pair.tls) service.addTlsWithSettings('127.0.0.1:0', tlsSettings(pair, options.handshakeTimeoutMs));
    else service.addTcp('127.0.0.1:0');
    const stop = new AbortController();
    const { promise: ready, resolve } = Promise.withResolvers<void>();
    const server = new Server({ logger });
    server.addService(service);
    server.onPhase((phase) => {
      if (phase === 'Running') resolve();
    });
    const running = server.run({ signal: stop.signal, fast: stop.signal });
    await Promise.race([ready, running]);
    log.length = 0;
    return new FaultSite(clock, log, service, stop, running);
  }

  get port(): number {
    const [endpoint] = this.#service.endpoints;
    if (endpoint === undefined || !('port' in endpoint)) throw new Error('the proxy does not listen');
    return endpoint.port;
  }

  get stats(): ProxyStats {
    return this.#service.app.app.stats();
  }

  get openConnections(): number {
    return this.#service.openConnections;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }
}

function tlsSettings({ client }: Pair, handshakeTimeoutMs: number): TlsSettings {
  return new TlsSettings({
    certificate,
    alpn: client === 'h2' ? ['h2', 'http/1.1'] : ['http/1.1'],
    handshakeTimeoutMs,
  });
}

function loggerTo(lines: string[]): Logger {
  const at =
    (level: string) =>
    (facts: object | string, message = ''): void => {
      if (typeof facts === 'string') lines.push(`${level} ${facts}`);
      else lines.push(describeLine(level, message, facts as Record<string, unknown>));
    };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/** `error Upstream ReadTimedout 504`, `warn Upstream ReadError again`, `access 499`: what matters of a line. */
function describeLine(level: string, message: string, facts: Record<string, unknown>): string {
  const error = String(facts.error ?? facts.err ?? '')
    .split(' ')
    .slice(0, 2)
    .join(' ');
  if (message === 'access') {
    const after = facts.retries === undefined ? '' : `, retries ${String(facts.retries)}`;
    return `access ${String(facts.status)}${after}${error === '' ? '' : ', failed'}`;
  }
  if (message === 'request refused') return `refused ${error} ${String(facts.status)}`;
  if (message !== 'fail to proxy') return `${level} ${message} ${error}`;
  return `${level} ${error} ${facts.retry === true ? 'again' : String(facts.status)}`;
}
