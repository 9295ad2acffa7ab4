/**
 * The contract of an application that serves HTTP requests, and what makes a connection application of it.
 *
 * Which version a connection speaks is decided here, by ALPN or by its first bytes; the contract is the same for all.
 */
import type { CirqueError } from '@cirque/error';
import type { RequestRules } from '@cirque/http1';
import type { TimerWheel } from '@cirque/timeout';
import type { Digest, Stream } from '@cirque/transport';
import { HttpCounters } from '../http/http-counters.ts';
import {
  type HttpServerOptions,
  type ResolvedHttpServerOptions,
  requestRules,
  resolveHttpServerOptions,
} from '../http/http-server-options.ts';
import { Http1ServerSession, type RequestReceiver } from '../http/http1-server-session.ts';
import { Http2ServerConnection } from '../http/http2-server-connection.ts';
import { answerOverLimit } from '../http/over-limit.ts';
import { PrefaceDetector } from '../http/preface-detector.ts';
import type { ServerSession } from '../http/server-session.ts';
import { hostRuleOf } from '../listeners/tls/host-rules.ts';
import type { ServerConfiguration } from '../server/server-conf.ts';
import type { StatsTree } from '../service/stats-tree.ts';
import { HostGuard } from './host-guard.ts';
import type { AppContext, MaybePromise, ServerApp } from './server-app.ts';

/** Serves requests: one object for all connections of a service. */
export interface HttpServerApp {
  /** Limits and times of the HTTP side; read once, when the service is made. Default: all defaults. */
  readonly serverOptions?: HttpServerOptions;
  /** Called once, before the service listens. Rejecting means that the service cannot start. */
  setUp?(context: AppContext): MaybePromise<void>;
  /**
   * Takes over one request, whose head is complete. Installs `session.handler` first, then answers, now or later.
   * Must not throw: a request that fails is answered, or ended by `session.abort`.
   *
   * Every request is ended by `end`, `finish` or `abort`, after `onDownstreamError` too: an HTTP/2 request that its client
   * has cancelled counts as one of the connection's until then, because its work still goes on.
   */
  processNewHttp(session: ServerSession): void;
  /** A head that could not be parsed was answered with `status` (0: nothing was sent). For counting and logging. */
  refusedRequest?(error: CirqueError, status: number, digest: Digest): void;
  /** Called once, when the service has stopped listening; requests may still be under way. Rejecting is logged. */
  httpCleanup?(): MaybePromise<void>;
  /** Counters and gauges, for {@link ServerApp.stats}. */
  stats?(): StatsTree;
  /** The configuration was read again, see {@link ServerApp.reconfigure}. */
  reconfigure?(configuration: ServerConfiguration): void;
}

/**
 * Speaks HTTP on connections and gives each request to an {@link HttpServerApp}.
 *
 * HTTP/2 where TLS has agreed on it (ALPN `h2`), or on plaintext with the option `h2c` when the client begins so; HTTP/1
 * everywhere else.
 */
export class HttpConnectionApp<A extends HttpServerApp = HttpServerApp> implements ServerApp {
  readonly reads = 'callback' as const;
  /** The application that gets the requests. */
  readonly app: A;
  readonly #options: ResolvedHttpServerOptions;
  readonly #rules: RequestRules;
  readonly #wheel: TimerWheel | undefined;
  readonly #counters: HttpCounters = new HttpCounters();

  /**
   * @param wheel for hand-driven time in tests. Default: the wheel of this thread.
   * @throws TypeError or RangeError for wrong server options.
   */
  constructor(app: A, wheel?: TimerWheel) {
    if (typeof app?.processNewHttp !== 'function')
      throw new TypeError('an HTTP application needs a processNewHttp() function');
    this.app = app;
    this.#options = resolveHttpServerOptions(app.serverOptions);
    this.#rules = requestRules(this.#options);
    this.#wheel = wheel;
  }

  setUp(context: AppContext): MaybePromise<void> {
    return this.app.setUp?.(context);
  }

  processNew(stream: Stream): void {
    const { ssl } = stream.digest;
    if (ssl !== undefined) {
      const rule = hostRuleOf(stream);
      const app = rule === undefined ? this.app : new HostGuard(this.app, rule);
      if (ssl.alpn === 'h2') this.#http2(stream, app).start();
      else this.#http1(stream, app).start();
    } else if (this.#options.h2c) {
      this.#detect(stream);
    } else {
      this.#http1(stream).start();
    }
  }

  /** Requests under way are answered, then the connection closes; an idle one closes soon. */
  shutdownConnection({ handler }: Stream): void {
    if (
      handler instanceof Http1ServerSession ||
      handler instanceof Http2ServerConnection ||
      handler instanceof PrefaceDetector
    ) {
      handler.shutdown();
    }
  }

  /** Upgraded connections and tunnels get their end; requests and other streams of the same connection go on. */
  shutdownTunnels({ handler }: Stream): void {
    if (handler instanceof Http1ServerSession || handler instanceof Http2ServerConnection) handler.shutdownTunnels();
  }

  /** 503, and the end. */
  overLimit(stream: Stream): void {
    answerOverLimit(stream, this.#wheel);
  }

  /** What was counted here under `http`, beside what the application counts. */
  stats(): StatsTree {
    return { http: this.#counters.stats(), ...this.app.stats?.() };
  }

  #http1(stream: Stream, app: RequestReceiver = this.app): Http1ServerSession {
    this.#counters.h1Connections += 1;
    return new Http1ServerSession(stream, app, this.#options, this.#rules, this.#wheel, this.#counters);
  }

  #http2(stream: Stream, app: RequestReceiver = this.app): Http2ServerConnection {
    this.#counters.h2Connections += 1;
    return new Http2ServerConnection(stream, app, this.#options, this.#wheel, this.#counters);
  }

  #detect(stream: Stream): void {
    const detector = new PrefaceDetector(
      stream,
      (version, first, length) => {
        const handler = version === '2' ? this.#http2(stream) : this.#http1(stream);
        handler.start();
        if (detector.shuttingDown) handler.shutdown();
        handler.onRead(first, length);
      },
      this.#wheel,
    );
    detector.start(this.#options.headTimeoutMs);
  }

  reconfigure(configuration: ServerConfiguration): void {
    this.app.reconfigure?.(configuration);
  }

  cleanup(): MaybePromise<void> {
    return this.app.httpCleanup?.();
  }
}
