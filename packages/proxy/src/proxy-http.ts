/**
 * The phases of a proxied request: what a user of this package writes.
 *
 * Every phase but `newCtx` and `upstreamPeer` is optional, may be synchronous or return a promise, and costs nothing
 * where it is absent. Two forms, both of which refuse a misspelt name at compile time: `class X extends ProxyHttp`
 * with `override`, and `defineProxy({...})`.
 */
import type { MaybePromise } from '@cirque/core';
import type { CirqueError } from '@cirque/error';
import type { HeaderMap, RequestHeader, ResponseHeader } from '@cirque/http';
import type { HttpPeer, Peer } from '@cirque/pool';
import type { Digest } from '@cirque/transport';
import type { HttpModules } from './http-modules.ts';
import type { Session } from './session.ts';

/** A phase that ends without a return statement. */
// biome-ignore lint/suspicious/noConfusingVoidType: the inferred type of a method without return is void.
export type NoAnswer = undefined | void;

/** What {@link ProxyPhases.failToProxy} answers. */
export interface FailToProxy {
  /** The status the client was sent, for logs; 0 when nothing could be sent. */
  readonly errorCode: number;
  /** The client connection may serve its next request. Default behaviour never allows it. */
  readonly canReuseDownstream: boolean;
}

/** The phases, in the order in which they run. `Ctx` is the user's own state of one request. */
export interface ProxyPhases<Ctx> {
  /**
   * Adds the modules of the client's side: `modules.add(compression())`. Called once, when the proxy is made.
   *
   * They see a request after `earlyRequestFilter` and its response last of all, after `responseFilter` and
   * `responseBodyFilter`; responses that a phase writes pass them too, error pages do not.
   */
  initDownstreamModules?(modules: HttpModules): void;

  /** As {@link initDownstreamModules}, for the upstream's side: they see a response before `upstreamResponseFilter`. */
  initUpstreamModules?(modules: HttpModules): void;

  /**
   * Makes the context of a request. Runs first, when the request head was parsed, and answers at once: what takes time
   * belongs into `earlyRequestFilter`. Throwing ends the request with 500; no other phase is called then.
   */
  newCtx(): Ctx;

  /**
   * Hands over what {@link persistConnectionContext} kept from the request before on the same client connection.
   * Runs after `newCtx`, not for the first request of a connection.
   */
  onConnectionReuse?(session: Session, ctx: Ctx, kept: unknown): MaybePromise<void>;

  /** Runs before everything else that can see the request. Throwing ends the request through `failToProxy`. */
  earlyRequestFilter?(session: Session, ctx: Ctx): MaybePromise<void>;

  /**
   * Inspects the request, changes `session.requestHeader`, or answers it.
   *
   * Answering true means that the response was written (`session.respond` and so on) and nothing else should happen.
   * Throwing ends the request through `failToProxy`; `CirqueError.http(403)` chooses the status.
   */
  requestFilter?(session: Session, ctx: Ctx): MaybePromise<boolean | NoAnswer>;

  /**
   * Decides whether the upstream is asked at all. False ends the request: with what was written, else with 502.
   * Absent: true.
   */
  proxyUpstreamFilter?(session: Session, ctx: Ctx): MaybePromise<boolean>;

  /**
   * Chooses where this request goes. Runs once per attempt, so it may answer with another peer after a failure.
   *
   * Throwing ends the request through `failToProxy`, or starts another attempt when the error says `retry`.
   */
  upstreamPeer(session: Session, ctx: Ctx): MaybePromise<HttpPeer | Peer>;

  /**
   * A connection to the peer could not be established; nothing was sent. Runs once per failed attempt.
   *
   * The answered error decides: with `setRetry(true)` another attempt is made. Absent: the error as it is, no retry.
   * Concerns connection establishment only: a slow or broken response is {@link errorWhileProxy}.
   */
  failToConnect?(session: Session, peer: HttpPeer | Peer, ctx: Ctx, error: CirqueError): CirqueError;

  /** There is a connection: fresh, or `reused` from the pool. Throwing goes to {@link errorWhileProxy}. */
  connectedToUpstream?(
    session: Session,
    reused: boolean,
    peer: HttpPeer | Peer,
    digest: Digest,
    ctx: Ctx,
  ): MaybePromise<void>;

  /**
   * Changes the head that is sent upstream: a copy of the client's for each attempt, hop-by-hop fields removed.
   *
   * Body filters that change the length must remove Content-Length here; the body is chunked then.
   */
  upstreamRequestFilter?(session: Session, upstreamRequest: RequestHeader, ctx: Ctx): MaybePromise<void>;

  /**
   * Sees each piece of the request body before it goes upstream, and exactly one call with `endOfStream` true, whose
   * piece may be undefined. Answering bytes replaces the piece (no bytes: drops it); undefined leaves it.
   * Bytes that were answered must not change any more: modules behind may still look at them.
   * Runs again for replayed bytes after a retry.
   */
  requestBodyFilter?(
    session: Session,
    body: Buffer | undefined,
    endOfStream: boolean,
    ctx: Ctx,
  ): MaybePromise<Uint8Array | NoAnswer>;

  /** Sees, and may change, the head from the upstream, informational ones (1xx) included. */
  upstreamResponseFilter?(session: Session, upstreamResponse: ResponseHeader, ctx: Ctx): MaybePromise<void>;

  /** Sees, and may change, the head that goes to the client, informational ones (1xx) included. */
  responseFilter?(session: Session, response: ResponseHeader, ctx: Ctx): MaybePromise<void>;

  /** As {@link requestBodyFilter}, for the response as it comes from the upstream. */
  upstreamResponseBodyFilter?(
    session: Session,
    body: Buffer | undefined,
    endOfStream: boolean,
    ctx: Ctx,
  ): MaybePromise<Uint8Array | NoAnswer>;

  /**
   * As {@link upstreamResponseBodyFilter}, and after it. Filters that change the length must remove Content-Length in
   * `responseFilter`; the body is chunked then.
   */
  responseBodyFilter?(
    session: Session,
    body: Buffer | undefined,
    endOfStream: boolean,
    ctx: Ctx,
  ): MaybePromise<Uint8Array | NoAnswer>;

  /**
   * Sees, and may change, the trailers from the upstream, after the end-of-stream call of the body filters. Only fields
   * that may be trailers are shown (RFC 9110 section 6.5.1). Answering bytes ends the body with them, without trailers.
   */
  upstreamResponseTrailerFilter?(
    session: Session,
    upstreamTrailers: HeaderMap,
    ctx: Ctx,
  ): MaybePromise<Uint8Array | NoAnswer>;

  /** As {@link upstreamResponseTrailerFilter}, and after it: the trailers that go to the client. */
  responseTrailerFilter?(session: Session, trailers: HeaderMap, ctx: Ctx): MaybePromise<Uint8Array | NoAnswer>;

  /**
   * An error after the connection was established, also while the response was passing.
   *
   * The answered error decides about another attempt, which is possible as long as nothing was sent to the client and
   * the request body can be replayed. `clientReused`: the upstream connection came from the pool.
   * Absent: retried when the connection was a pooled one that had died, and the method is idempotent.
   */
  errorWhileProxy?(
    peer: HttpPeer | Peer,
    session: Session,
    error: CirqueError,
    ctx: Ctx,
    clientReused: boolean,
  ): CirqueError;

  /**
   * The request failed for good. May write an error page with `session.respond` when `session.responseStarted` is
   * false; `session.disableKeepAlive()` before it announces that the connection closes. Absent, or without a page: the
   * status of `statusFor(error)` without a body, and the connection closes.
   */
  failToProxy?(session: Session, error: CirqueError, ctx: Ctx): MaybePromise<FailToProxy>;

  /** True keeps the error of a failed request out of the error log. Absent: false. */
  suppressErrorLog?(session: Session, ctx: Ctx, error: CirqueError): boolean;

  /** The words for this request in error logs. Absent: `GET /path, Host: name`. */
  requestSummary?(session: Session, ctx: Ctx): string;

  /**
   * Last of all, exactly once for every request whose head was parsed, whatever happened. Throwing is only logged.
   * `ctx` is undefined in one case: `newCtx` itself has thrown.
   */
  logging?(session: Session, error: CirqueError | undefined, ctx: Ctx): MaybePromise<void>;

  /**
   * What to keep for the next request on the same client connection; undefined keeps nothing. Runs after `logging`.
   * Throwing is only logged.
   */
  persistConnectionContext?(session: Session, ctx: Ctx): unknown;
}

/** Base class of a proxy. Optional phases are only declared: an absent one is absent at run time too. */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the merged members are all optional.
export abstract class ProxyHttp<Ctx = undefined> implements ProxyPhases<Ctx> {
  abstract newCtx(): Ctx;
  abstract upstreamPeer(session: Session, ctx: Ctx): MaybePromise<HttpPeer | Peer>;
}

// Declared by merging, so that the class emits no members: absence is what makes a phase free.
export interface ProxyHttp<Ctx> extends ProxyPhases<Ctx> {}

/** A proxy as a plain object; the type check refuses unknown names. `newCtx` may be left out when there is no context. */
export function defineProxy<Ctx = undefined>(
  phases: undefined extends Ctx
    ? Omit<ProxyPhases<Ctx>, 'newCtx'> & Partial<Pick<ProxyPhases<Ctx>, 'newCtx'>>
    : ProxyPhases<Ctx>,
): ProxyPhases<Ctx> {
  const { newCtx } = phases as Partial<ProxyPhases<Ctx>>;
  return newCtx === undefined
    ? ({ ...phases, newCtx: () => undefined } as unknown as ProxyPhases<Ctx>)
    : (phases as ProxyPhases<Ctx>);
}
