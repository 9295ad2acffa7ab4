/**
 * One request of a proxy server in the manner of http-proxy: what its options and listeners make of head and failure.
 *
 * web-request.ts adds the response of a request, ws-request.ts the socket of a tunnel.
 */
import type { IncomingMessage } from 'node:http';
import { CirqueError, statusFor } from '@cirque/error';
import type { RequestHeader, ResponseHeader } from '@cirque/http';
import type { HttpPeer } from '@cirque/pool';
import type { Session } from '@cirque/proxy';
import { type ProxyError, proxyError } from './proxy-error.ts';
import { ProxyRequest } from './proxy-request.ts';
import type { ServerOptions, Settings } from './server-options.ts';
import { joinPaths, type ProxyTarget, type Target } from './target.ts';

/** Told of a failure; it answers the request. */
export type ErrorHandler = (error: ProxyError, target: ProxyTarget | undefined) => void;

/** What the phases of a proxy ask of one of its requests. */
export interface Proxied {
  readonly peer: HttpPeer;
  /** Changes the head for the target. @throws CirqueError when a listener has given the request up. */
  filterRequest(head: RequestHeader): void;
  /** A head has come from the target, as opposed to an error page of ours. */
  noteResponse(header: ResponseHeader): void;
  /** The request has failed for good; resolves when the answer is no longer ours. */
  failed(session: Session, error: CirqueError): void | Promise<void>;
  /** The request is over. */
  over(): void;
}

/** See the file's head. */
export abstract class ShimRequest implements Proxied {
  readonly request: IncomingMessage;
  readonly options: ServerOptions;
  readonly target: Target;
  readonly peer: HttpPeer;
  /** A head has come from the target. */
  protected answered = false;
  /** Path and query as they came, before anything normalised them. */
  readonly #url: string;

  constructor(request: IncomingMessage, settings: Settings) {
    this.request = request;
    this.options = settings.options;
    this.target = settings.target as Target;
    this.peer = settings.peer as HttpPeer;
    this.#url = request.url ?? '/';
  }

  filterRequest(head: RequestHeader): void {
    prepareHead(head, this.target, this.options, this.#url);
    if (this.options.xfwd === true) addForwarded(head, this.request);
    const proxied = new ProxyRequest(head, this.target, this.written);
    this.announce(proxied);
    if (proxied.destroyed)
      throw CirqueError.upstream('ConnectError', 'a proxyReq listener gave the request up', proxied.reason);
  }

  noteResponse(_header: ResponseHeader): void {
    this.answered = true;
  }

  abstract failed(session: Session, error: CirqueError): void | Promise<void>;

  abstract over(): void;

  /** Takes what a listener writes as body. */
  protected abstract readonly written: Buffer[] | undefined;

  /** Shows the request to the listeners. */
  protected abstract announce(proxied: ProxyRequest): void;

  /** The error for the listeners; undefined when nobody is to be told, because it is the client that has gone. */
  protected errorFor(error: CirqueError): ProxyError | undefined {
    return statusFor(error) === 0 ? undefined : proxyError(error);
  }
}

/** Applies the options that concern the head for a target. */
export function prepareHead(head: RequestHeader, target: Target, options: ServerOptions, url: string): void {
  const { toProxy, ignorePath, prependPath, changeOrigin, headers = {}, auth, method } = options;
  const own = ignorePath === true ? '' : toProxy === true ? url : head.target;
  head.target =
    toProxy === true && ignorePath !== true ? own : joinPaths(prependPath === false ? '' : target.path, own);
  if (method !== undefined) head.method = method;
  if (changeOrigin === true) head.insertHeader('Host', target.host);
  for (const [name, value] of Object.entries(headers)) {
    head.removeHeader(name);
    for (const one of [value].flat()) head.appendHeader(name, one);
  }
  if (auth !== undefined) head.insertHeader('Authorization', `Basic ${Buffer.from(auth).toString('base64')}`);
}

function addForwarded({ headers }: RequestHeader, { socket, headers: asked }: IncomingMessage): void {
  const tls = 'encrypted' in socket && socket.encrypted === true;
  const port = /:(\d+)$/.exec(asked.host ?? '')?.[1] ?? (tls ? '443' : '80');
  const facts = { For: socket.remoteAddress ?? '', Port: port, Proto: tls ? 'https' : 'http' };
  for (const [name, value] of Object.entries(facts)) {
    headers.set(`X-Forwarded-${name}`, [...headers.getAll(`x-forwarded-${name}`), value].join(','));
  }
  if (!headers.has('x-forwarded-host')) headers.set('X-Forwarded-Host', asked.host ?? '');
}
