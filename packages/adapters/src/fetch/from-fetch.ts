/**
 * Web-standard code inside of Cirque: a fetch handler as an application of a service, or as the filter of a proxy.
 */
import type { UnderlyingDefaultSource } from 'node:stream/web';
import { type HttpServerApp, type HttpServerOptions, type Logger, silentLogger } from '@cirque/core';
import type { Session } from '@cirque/proxy';
import { ServedFetch } from './served-fetch.ts';
import { headOfResponse, webRequest } from './web-message.ts';

/** Answers requests. The signal of the request is aborted when its client leaves. */
export type WebHandler = (request: Request) => Response | PromiseLike<Response>;

/** Options of {@link fromFetch}. */
export interface FromFetchOptions {
  /** Gets a line for each handler that fails. Default: none. */
  readonly logger?: Logger;
  /** Limits and times of the client's side. */
  readonly serverOptions?: HttpServerOptions;
}

/**
 * An application that lets a fetch handler answer. Bodies stream both ways with back-pressure.
 *
 * A handler that throws gives 500, or the status of a `CirqueError.http(status)`.
 * @throws TypeError when the handler is no function.
 * @example new ListeningService('api', new HttpConnectionApp(fromFetch(hono.fetch)))
 */
export function fromFetch(handler: WebHandler, options: FromFetchOptions = {}): HttpServerApp {
  checkHandler(handler);
  const { logger = silentLogger, serverOptions = {} } = options;
  return {
    serverOptions,
    processNewHttp(session) {
      const { method, target } = session.requestHeader;
      const report = (err: Error): void => logger.error({ err, method, target }, 'the fetch handler failed');
      new ServedFetch(session, handler, report).start();
    },
  };
}

/** Answers a request of a proxy, or lets it pass: then undefined. */
export type WebFilter = (
  request: Request,
  session: Session,
) => Response | undefined | PromiseLike<Response | undefined>;

/** Options of {@link fetchFilter}. */
export interface FetchFilterOptions {
  /** The longest request body that the handler can read; it is kept for the upstream. Default 1 MiB, more is 413. */
  readonly maxBodyBytes?: number;
}

/**
 * A `requestFilter` that lets a fetch handler answer what it wants to answer.
 *
 * @throws TypeError when the handler is no function.
 * @example defineProxy({ requestFilter: fetchFilter((request) => maintenance ? new Response('later', { status: 503 }) : undefined), upstreamPeer })
 */
export function fetchFilter(
  handler: WebFilter,
  { maxBodyBytes }: FetchFilterOptions = {},
): (session: Session) => Promise<boolean> {
  checkHandler(handler);
  return async (session) => {
    const { requestHeader, digest, signal } = session;
    const body = session.hasBody ? bodyOf(session, maxBodyBytes) : undefined;
    const request = webRequest(requestHeader, { tls: digest.ssl !== undefined, body, signal });
    const response = await handler(request, session);
    if (response === undefined) return false;
    await respond(session, response);
    return true;
  };
}

async function respond(session: Session, response: Response): Promise<void> {
  const header = headOfResponse(response);
  const body = response.body as AsyncIterable<Uint8Array> | null;
  session.writeResponseHeader(header, body === null);
  if (body === null) return;
  for await (const piece of body) {
    if (!session.writeResponseBody(piece, false)) await session.drained();
    session.signal.throwIfAborted();
  }
  session.writeResponseBody(new Uint8Array(0), true);
}

/** Read only when the handler asks for it. */
function bodyOf(session: Session, maxBodyBytes: number | undefined): ReadableStream<Uint8Array> {
  const source: UnderlyingDefaultSource<Uint8Array> = {
    async pull(controller) {
      const body = await session.readBody(maxBodyBytes);
      if (body.length > 0) controller.enqueue(new Uint8Array(body));
      controller.close();
    },
  };
  return new ReadableStream(source, { highWaterMark: 0 });
}

function checkHandler(handler: unknown): void {
  if (typeof handler !== 'function')
    throw new TypeError(`a fetch handler is ${typeof handler}: expected a function (Request) => Response`);
}
