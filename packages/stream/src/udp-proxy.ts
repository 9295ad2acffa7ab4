/**
 * The phases of a proxied UDP session: what a user of this package writes.
 *
 * Every phase but `newCtx` and `upstreamPeer` is optional and costs nothing where it is absent. Two forms, both of which
 * refuse a misspelt name at compile time: `class X extends UdpProxy` with `override`, and `defineUdp({...})`.
 */
import type { MaybePromise } from '@cirque/core';
import type { CirqueError } from '@cirque/error';
import type { Address, InetAddress } from '@cirque/transport';
import type { NoAnswer } from './stream-proxy.ts';
import type { UdpSession } from './udp-session.ts';

/** The phases, in the order in which they run. `Ctx` is the user's own state of one session. */
export interface UdpPhases<Ctx> {
  /**
   * Decides whether a client gets a session at all. False drops its datagram without an answer, and it is asked again
   * for the next one; so does throwing. No other phase runs then.
   */
  sessionFilter?(client: InetAddress): MaybePromise<boolean>;

  /** Makes the context of a session, at once. Throwing ends the session; only `logging` is called then, without a context. */
  newCtx(): Ctx;

  /**
   * Sees each datagram of the client, the first one before an upstream is chosen; answers at once. False drops it, which ends the
   * session when it is the first; a Buffer is sent in its place. Datagrams without bytes are datagrams.
   *
   * @param bytes yours to keep.
   */
  datagramFromClient?(session: UdpSession, bytes: Buffer, ctx: Ctx): Buffer | false | NoAnswer;

  /**
   * Chooses where this session goes: an address with `host` (IP address or name) and `port`; a Backend fits. Runs once per
   * attempt; datagrams wait meanwhile, up to `maxQueuedBytes`. Unix sockets have no place here.
   *
   * Throwing ends the session, or starts another attempt when the error says `retry`.
   */
  upstreamPeer(session: UdpSession, ctx: Ctx): MaybePromise<Address>;

  /** As {@link datagramFromClient}, for what comes from the upstream. False drops it. */
  datagramFromUpstream?(session: UdpSession, bytes: Buffer, ctx: Ctx): Buffer | false | NoAnswer;

  /**
   * The upstream cannot be reached: its system says that nobody receives there (ICMP), or there is no way to it. Answers at
   * once. The error that it answers decides: with `setRetry(true)` another upstream is chosen, up to `maxRetries`, and gets what
   * the client has sent so far, if that is at most 16 KiB in 16 datagrams and nothing was answered.
   *
   * Absent, or without retry: the session ends, and the client's next datagram begins another one. The client is told nothing.
   */
  failToSend?(session: UdpSession, ctx: Ctx, error: CirqueError): CirqueError | NoAnswer;

  /**
   * Last of all, exactly once for every session that passed `sessionFilter`. Throwing is only logged.
   *
   * The place to tell a balancer: `ctx.pick.done({ ok: error === undefined })`. An upstream that is silent fails nothing:
   * `session.datagramsFromUpstream` is 0 then, and the reason `idle`.
   *
   * @param error why it failed; undefined when it ended in order.
   * @param ctx undefined in one case: `newCtx` itself has thrown.
   */
  logging?(session: UdpSession, error: CirqueError | undefined, ctx: Ctx): MaybePromise<void>;
}

/** Base class of a UDP proxy. Optional phases are only declared: an absent one is absent at run time too. */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the merged members are all optional.
export abstract class UdpProxy<Ctx = undefined> implements UdpPhases<Ctx> {
  abstract newCtx(): Ctx;
  abstract upstreamPeer(session: UdpSession, ctx: Ctx): MaybePromise<Address>;
}

// Declared by merging, so that the class emits no members: absence is what makes a phase free.
export interface UdpProxy<Ctx> extends UdpPhases<Ctx> {}

/** A proxy as a plain object; the type check refuses unknown names. `newCtx` may be left out when there is no context. */
export function defineUdp<Ctx = undefined>(
  phases: undefined extends Ctx
    ? Omit<UdpPhases<Ctx>, 'newCtx'> & Partial<Pick<UdpPhases<Ctx>, 'newCtx'>>
    : UdpPhases<Ctx>,
): UdpPhases<Ctx> {
  const { newCtx } = phases as Partial<UdpPhases<Ctx>>;
  return newCtx === undefined
    ? ({ ...phases, newCtx: () => undefined } as unknown as UdpPhases<Ctx>)
    : (phases as UdpPhases<Ctx>);
}
