/**
 * The contract of an application that serves HTTP requests, and what makes a connection application of it.
 *
 * Versions other than HTTP/1 belong into {@link HttpConnectionApp}: the contract does not change for them.
 */
import type { CirqueError } from '@cirque/error';
import type { RequestRules } from '@cirque/http1';
import type { TimerWheel } from '@cirque/timeout';
import type { Digest, Stream } from '@cirque/transport';
import {
  type HttpServerOptions,
  type ResolvedHttpServerOptions,
  requestRules,
  resolveHttpServerOptions,
} from '../http/http-server-options.ts';
import { Http1ServerSession } from '../http/http1-server-session.ts';
import type { ServerSession } from '../http/server-session.ts';
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
   */
  processNewHttp(session: ServerSession): void;
  /** A head that could not be parsed was answered with `status` (0: nothing was sent). For counting and logging. */
  refusedRequest?(error: CirqueError, status: number, digest: Digest): void;
  /** Called once, when the service has stopped listening; requests may still be under way. Rejecting is logged. */
  httpCleanup?(): MaybePromise<void>;
}

/** Speaks HTTP/1 on connections and gives each request to an {@link HttpServerApp}. */
export class HttpConnectionApp<A extends HttpServerApp = HttpServerApp> implements ServerApp {
  readonly reads = 'callback' as const;
  /** The application that gets the requests. */
  readonly app: A;
  readonly #options: ResolvedHttpServerOptions;
  readonly #rules: RequestRules;
  readonly #wheel: TimerWheel | undefined;

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
    new Http1ServerSession(stream, this.app, this.#options, this.#rules, this.#wheel).start();
  }

  /** The request under way is answered, then the connection closes; an idle one closes soon. */
  shutdownConnection(stream: Stream): void {
    if (stream.handler instanceof Http1ServerSession) stream.handler.shutdown();
  }

  cleanup(): MaybePromise<void> {
    return this.app.httpCleanup?.();
  }
}
