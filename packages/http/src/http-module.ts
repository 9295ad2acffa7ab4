/**
 * The contract of a module: a reusable part that sees the heads and bodies of messages as they pass a chain.
 *
 * A contract only; the proxy runs the chains (Pingora's HttpModule). Built-in parts (compression, gRPC-web) and those of
 * users look the same.
 */
import type { HeaderMap } from './header-map.ts';
import type { RequestHeader } from './request-header.ts';
import type { ResponseHeader } from './response-header.ts';

/** A value, or a promise of it. Only a promise is awaited. */
export type MaybePromise<T> = T | PromiseLike<T>;

/**
 * What a body filter answers: bytes take the place of the piece (none: it is dropped), undefined leaves it. They must not
 * change any more: whoever comes behind may keep them.
 */
// biome-ignore lint/suspicious/noConfusingVoidType: the inferred type of a method without return is void.
export type FilteredPiece = Uint8Array | undefined | void;

/** A module at work on one request. Every method is optional; an absent one costs nothing. */
export interface HttpModule {
  /** Sees, and may change, the client's request head. Throwing refuses the request. */
  requestHeaderFilter?(request: RequestHeader): MaybePromise<void>;
  /** Sees each piece of the request body; exactly one call has `endOfStream` true, whose piece may be undefined. */
  requestBodyFilter?(body: Buffer | undefined, endOfStream: boolean): MaybePromise<FilteredPiece>;
  /**
   * Sees, and may change, the final response head. `endOfStream`: no body follows. A module that changes the length of
   * the body removes Content-Length here.
   */
  responseHeaderFilter?(response: ResponseHeader, endOfStream: boolean): void;
  /** As {@link requestBodyFilter}, for the response. The call with `endOfStream` comes before the trailers. */
  responseBodyFilter?(body: Buffer | undefined, endOfStream: boolean): MaybePromise<FilteredPiece>;
  /** Sees, and may change, the trailers of a response. Bytes end the body in the place of the trailers. */
  responseTrailerFilter?(trailers: HeaderMap): FilteredPiece;
  /** The request is over, however it ended: let go of what is held. Called once. */
  close?(): void;
}

/** Makes a module for each request. */
export interface HttpModuleBuilder<M extends HttpModule = HttpModule> {
  /** Unique in its chain; for errors and logs. */
  readonly name: string;
  /** Higher runs first, on requests and responses alike. Default 0; equal ones run in the order they were added. */
  readonly order?: number;
  /** A module for this request, or undefined where it has nothing to do. `request` is the client's head. */
  create(request: RequestHeader): M | undefined;
}
