/**
 * The simplest way to answer HTTP: a function from request to response, both whole.
 *
 * For status pages, small APIs and tests. What streams, or must not be held in memory, is an {@link HttpServerApp}.
 */
import type { CirqueError } from '@cirque/error';
import type { HeaderMap } from '@cirque/http';
import type { Digest } from '@cirque/transport';
import type { HttpServerOptions } from '../http/http-server-options.ts';
import type { ServerSession } from '../http/server-session.ts';
import { ThrottledLog } from '../listeners/throttled-log.ts';
import { type Logger, silentLogger } from '../logger.ts';
import { listeningOptionsOf } from '../service/listening-options.ts';
import { ListeningService, type ListeningServiceOptions } from '../service/listening-service.ts';
import { HttpConnectionApp, type HttpServerApp } from './http-server-app.ts';
import { ServeExchange } from './serve-exchange.ts';
import type { AppContext, MaybePromise } from './server-app.ts';

/** A request with its head complete. */
export interface PlainRequest {
  readonly method: string;
  /** The request target as it came, for example `/path?query`. */
  readonly target: string;
  readonly headers: HeaderMap;
  /** Undefined on unix sockets. */
  readonly clientAddress: string | undefined;
  /**
   * Reads the body to its end; empty when there is none. Sends `100 Continue` when the client waits for it.
   * Rejects with a CirqueError when the client leaves or the body is larger than allowed; the client is answered then.
   */
  body(): Promise<Buffer>;
}

/** What is sent back. */
export interface PlainResponse {
  /** From 200 to 599. Default 200. */
  readonly status?: number;
  /** Content-Length, Date and Connection are added. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** Default: none. A string is sent as UTF-8. */
  readonly body?: string | Uint8Array;
}

/** Answers requests. */
export interface ServeHttp {
  /**
   * Called for each request. Throwing answers with the status of a `CirqueError.http(status)`, else with 500, which
   * is logged; the connection closes then.
   */
  response(request: PlainRequest): MaybePromise<PlainResponse>;
}

/** Options of {@link httpService}. */
export interface HttpServiceOptions extends ListeningServiceOptions {
  /** The largest request body that `body()` collects, in bytes. Default 1 MiB; larger ones get 413. */
  readonly maxBodyBytes?: number;
  readonly serverOptions?: HttpServerOptions;
}

const DEFAULT_MAX_BODY_BYTES = 1_048_576;

/**
 * A service that answers HTTP requests: with a function, or with a full {@link HttpServerApp}.
 *
 * ```ts
 * const status = httpService('status', ({ target }) => ({ body: `you asked for ${target}\n` }));
 * status.addTcp('127.0.0.1:8080');
 * ```
 *
 * @throws TypeError or RangeError for a wrong name, application or option.
 */
export function httpService(
  name: string,
  app: ServeHttp | ServeHttp['response'],
  options: HttpServiceOptions = {},
): ListeningService<HttpConnectionApp<ServeHttpApp>> {
  return new ListeningService(name, new HttpConnectionApp(new ServeHttpApp(app, options)), listeningOptionsOf(options));
}

/** Makes an {@link HttpServerApp} of a plain responder. */
export class ServeHttpApp implements HttpServerApp {
  readonly serverOptions: HttpServerOptions;
  readonly #app: ServeHttp;
  readonly #maxBodyBytes: number;
  #logger: Logger = silentLogger;
  #refusals = new ThrottledLog(silentLogger);

  /** @throws TypeError or RangeError for a wrong application or option. */
  constructor(
    app: ServeHttp | ServeHttp['response'],
    { maxBodyBytes = DEFAULT_MAX_BODY_BYTES, serverOptions = {} }: HttpServiceOptions = {},
  ) {
    this.#app = typeof app === 'function' ? { response: app } : app;
    if (typeof this.#app?.response !== 'function')
      throw new TypeError('a responder must be a function or have a response() function');
    if (!Number.isSafeInteger(maxBodyBytes) || maxBodyBytes < 0) {
      throw new RangeError(`maxBodyBytes must be a whole number of at least 0, got ${String(maxBodyBytes)}`);
    }
    this.#maxBodyBytes = maxBodyBytes;
    this.serverOptions = serverOptions;
  }

  setUp({ logger }: AppContext): void {
    this.#logger = logger;
    this.#refusals = new ThrottledLog(logger);
  }

  processNewHttp(session: ServerSession): void {
    const exchange = new ServeExchange(session, {
      maxBodyBytes: this.#maxBodyBytes,
      onFailure: (err, { method, target }) => this.#logger.error({ err, method, target }, 'the responder failed'),
    });
    try {
      const response = this.#app.response(exchange);
      if (!isPromise(response)) exchange.answer(response);
      else
        response.then(
          (value) => exchange.answer(value),
          (error: unknown) => exchange.fail(error),
        );
    } catch (error) {
      exchange.fail(error);
    }
  }

  refusedRequest(err: CirqueError, status: number, { socket }: Digest): void {
    this.#refusals.warn({ err, status, client: socket.remoteAddress }, 'a request could not be parsed');
  }
}

function isPromise(value: MaybePromise<PlainResponse>): value is PromiseLike<PlainResponse> {
  return typeof (value as { then?: unknown } | undefined)?.then === 'function';
}
