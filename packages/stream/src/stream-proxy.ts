/**
 * The phases of a proxied TCP connection: what a user of this package writes.
 *
 * Every phase but `newCtx` and `upstreamPeer` is optional, may be synchronous or return a promise where that is said,
 * and costs nothing where it is absent. Two forms, both of which refuse a misspelt name at compile time: `class X extends
 * StreamProxy` with `override`, and `defineStream({...})`.
 */
import type { MaybePromise } from '@cirque/core';
import type { CirqueError } from '@cirque/error';
import type { Peer } from '@cirque/pool';
import type { Digest, InetAddress } from '@cirque/transport';
import type { StreamSession } from './stream-session.ts';

/** A phase that ends without a return statement. */
// biome-ignore lint/suspicious/noConfusingVoidType: the inferred type of a method without return is void.
export type NoAnswer = undefined | void;

/** The phases, in the order in which they run. `Ctx` is the user's own state of one connection. */
export interface StreamPhases<Ctx> {
  /**
   * Decides whether a connection is served at all, before TLS and before anything is made for it. False closes it; so
   * does throwing, and a promise that takes longer than ten seconds. No other phase runs then.
   *
   * @param client undefined for unix sockets and for clients that have gone already.
   */
  connectionFilter?(client: InetAddress | undefined): MaybePromise<boolean>;

  /**
   * Makes the context of a connection, at once. Throwing closes the connection; only `logging` is called then, without
   * a context.
   */
  newCtx(): Ctx;

  /**
   * Looks at what the client says first, before an upstream is chosen: `peekTls`, `peekHttpHost`, `startsWith`. Nothing is
   * taken away, the upstream gets all of it.
   *
   * Called with all bytes so far, each time there are more, for as long as it answers `'more'`. The last call has
   * `ended` true when there will not be more: `peekMaxBytes` are there, `peekTimeoutMs` have passed (with no bytes at all,
   * perhaps: in some protocols the server speaks first), or the client has ended its side.
   * @param seen valid only during the call; at most `peekMaxBytes`.
   */
  peek?(session: StreamSession, seen: Buffer, ended: boolean, ctx: Ctx): 'more' | NoAnswer;

  /**
   * Chooses where this connection goes. Runs once per attempt.
   *
   * Throwing closes the connection, or starts another attempt when the error says `retry`.
   */
  upstreamPeer(session: StreamSession, ctx: Ctx): MaybePromise<Peer>;

  /**
   * A connection to the peer could not be established; nothing was sent. Runs once per failed attempt, and answers at once.
   *
   * The answered error decides: with `setRetry(true)` another attempt is made, up to `maxRetries`. Absent: the error as it is,
   * no retry.
   */
  failToConnect?(session: StreamSession, peer: Peer, ctx: Ctx, error: CirqueError): CirqueError | NoAnswer;

  /** There is a connection; nothing was sent yet but the peer's PROXY header. Throwing is as in `upstreamPeer`. */
  connectedToUpstream?(session: StreamSession, peer: Peer, digest: Digest, ctx: Ctx): MaybePromise<void>;

  /**
   * Last of all, exactly once for every connection that passed `connectionFilter`, when both sides are closed and no other
   * phase of it is pending. Throwing is only logged.
   * @param error why it failed; undefined when both sides ended in order.
   * @param ctx undefined in one case: `newCtx` itself has thrown.
   */
  logging?(session: StreamSession, error: CirqueError | undefined, ctx: Ctx): MaybePromise<void>;
}

/** Base class of a TCP proxy. Optional phases are only declared: an absent one is absent at run time too. */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the merged members are all optional.
export abstract class StreamProxy<Ctx = undefined> implements StreamPhases<Ctx> {
  abstract newCtx(): Ctx;
  abstract upstreamPeer(session: StreamSession, ctx: Ctx): MaybePromise<Peer>;
}

// Declared by merging, so that the class emits no members: absence is what makes a phase free.
export interface StreamProxy<Ctx> extends StreamPhases<Ctx> {}

/** A proxy as a plain object; the type check refuses unknown names. `newCtx` may be left out when there is no context. */
export function defineStream<Ctx = undefined>(
  phases: undefined extends Ctx
    ? Omit<StreamPhases<Ctx>, 'newCtx'> & Partial<Pick<StreamPhases<Ctx>, 'newCtx'>>
    : StreamPhases<Ctx>,
): StreamPhases<Ctx> {
  const { newCtx } = phases as Partial<StreamPhases<Ctx>>;
  return newCtx === undefined
    ? ({ ...phases, newCtx: () => undefined } as unknown as StreamPhases<Ctx>)
    : (phases as StreamPhases<Ctx>);
}
