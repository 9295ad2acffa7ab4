/**
 * The phases of a request up to the head that goes upstream, and what happens between them: modules, connecting.
 *
 * A synchronous chain that is left only where user code answers with a promise. What the answers lead to, and what
 * failures do, is the business of exchange.ts.
 */
import type { ServerSession } from '@cirque/core';
import { CirqueError } from '@cirque/error';
import type { RequestHeader } from '@cirque/http';
import type { ClientSession, Peer, SessionRequest } from '@cirque/pool';
import type { ExchangeContext } from './exchange-context.ts';
import { isThenable } from './hooks.ts';
import type { ModuleChain } from './http-modules.ts';
import { filterRequestHeader } from './module-filters.ts';
import { PendingHook } from './pending-hook.ts';
import type { PhaseName } from './phases.ts';
import type { Session } from './session.ts';
import { type TakenFields, upstreamHead } from './upstream-head.ts';

/** A step of the chain: a phase, or what happens between two. */
export type Step = PhaseName | 'modules' | 'connect';

/** What the chain needs of its exchange. */
export interface ChainOwner<Ctx> extends SessionRequest {
  readonly downstream: ServerSession;
  readonly session: Session;
  readonly context: ExchangeContext<Ctx>;
  readonly ctx: Ctx;
  readonly downstreamModules: ModuleChain | undefined;
  /** Of the last attempt; the chain sets it. */
  peer: Peer | undefined;
  readonly upstreamReused: boolean;
  /** A phase reads the request body itself. */
  readonly collectingBody: boolean;
  /** The request is over: nothing more is to be done. */
  readonly concluded: boolean;
  /** A phase answered the request, or refused to ask the upstream. */
  answered(by: 'requestFilter' | 'proxyUpstreamFilter'): void;
  /** There is a connection. */
  connected(upstream: ClientSession): void;
  /** The last step: the head for the upstream is ready. */
  send(head: RequestHeader): void;
  stepFailed(step: Step, error: CirqueError): void;
}

/** See the file's head. One per request. */
export class PhaseChain<Ctx> {
  readonly #owner: ChainOwner<Ctx>;
  readonly #nominated: TakenFields;
  #pending: PendingHook | undefined = undefined;
  #upstream: ClientSession | undefined = undefined;
  #head: RequestHeader | undefined = undefined;

  /** @param nominated what the client's Connection field has nominated. */
  constructor(owner: ChainOwner<Ctx>, nominated: TakenFields) {
    this.#owner = owner;
    this.#nominated = nominated;
  }

  run(from: Step): void {
    let step = from;
    try {
      while (!this.#owner.concluded) {
        const answer = this.#call(step);
        if (isThenable(answer)) {
          this.#wait(step, answer);
          return;
        }
        const next = this.#settle(step, answer);
        if (next === undefined) return;
        step = next;
      }
    } catch (error) {
      this.#failed(step, error);
    }
  }

  /** Ignores what is still awaited. */
  cancel(): void {
    this.#pending?.cancel();
    this.#pending = undefined;
  }

  /** Calls the phase, if there is one. */
  #call(step: Step): unknown {
    const owner = this.#owner;
    const { session, ctx, context } = owner;
    const { hooks } = context;
    switch (step) {
      case 'onConnectionReuse':
        return this.#handOver();
      case 'earlyRequestFilter':
        return hooks.earlyRequestFilter?.(session, ctx);
      case 'modules':
        if (owner.downstreamModules === undefined) return undefined;
        return filterRequestHeader(owner.downstreamModules, session.requestHeader);
      case 'requestFilter':
        return hooks.requestFilter?.(session, ctx);
      case 'proxyUpstreamFilter':
        return hooks.proxyUpstreamFilter?.(session, ctx);
      case 'upstreamPeer':
        return hooks.upstreamPeer(session, ctx);
      case 'connect':
        if (owner.downstream.tunnel?.kind === 'connect') return context.connector.openTunnel(owner.peer as Peer, owner);
        return context.connector.getSession(owner.peer as Peer, owner);
      case 'connectedToUpstream':
        return this.#connectedToUpstream();
      case 'upstreamRequestFilter':
        this.#head = this.#makeHead();
        return hooks.upstreamRequestFilter?.(session, this.#head, ctx);
      default:
        return undefined;
    }
  }

  /** What the request before on this connection has left for this one. */
  #handOver(): unknown {
    const { downstream, session, context, ctx } = this.#owner;
    const kept = downstream.connectionContext;
    downstream.connectionContext = undefined;
    return context.hooks.onConnectionReuse?.(session, ctx, kept);
  }

  #connectedToUpstream(): unknown {
    const { session, context, ctx, peer, upstreamReused } = this.#owner;
    const { connectedToUpstream } = context.hooks;
    if (connectedToUpstream === undefined) return undefined;
    const { digest } = this.#upstream as ClientSession;
    return connectedToUpstream(session, upstreamReused, peer as Peer, digest, ctx);
  }

  #makeHead(): RequestHeader {
    const { downstream, peer, session, context } = this.#owner;
    const { httpVersion } = this.#upstream as ClientSession;
    const head = upstreamHead(downstream, peer as Peer, httpVersion, this.#nominated);
    const { requestIds } = context.options;
    if (requestIds !== undefined) head.headers.set(requestIds.header, session.requestId);
    return head;
  }

  /** Uses what the phase answered; tells the next step, undefined where the chain rests. */
  #settle(step: Step, answer: unknown): Step | undefined {
    const owner = this.#owner;
    switch (step) {
      case 'onConnectionReuse':
        return 'earlyRequestFilter';
      case 'earlyRequestFilter':
        return 'modules';
      case 'modules':
        return 'requestFilter';
      case 'requestFilter':
        if (answer !== true) return 'proxyUpstreamFilter';
        owner.answered(step);
        return undefined;
      case 'proxyUpstreamFilter':
        if (answer !== false) return 'upstreamPeer';
        owner.answered(step);
        return undefined;
      case 'upstreamPeer':
        owner.peer = checkPeer(answer);
        return 'connect';
      case 'connect':
        this.#upstream = answer as ClientSession;
        owner.connected(this.#upstream);
        return 'connectedToUpstream';
      case 'connectedToUpstream':
        return 'upstreamRequestFilter';
      default:
        owner.send(this.#head as RequestHeader);
        return undefined;
    }
  }

  #wait(step: Step, answer: PromiseLike<unknown>): void {
    const { downstream, collectingBody, context } = this.#owner;
    // But for a phase that reads the body itself.
    if (downstream.bodyLength !== 0 && !collectingBody) downstream.pause();
    const goOn = (value: unknown): void => {
      this.#pending = undefined;
      this.#resume(step, value);
    };
    const failed = (error: unknown): void => {
      this.#pending = undefined;
      this.#failed(step, error);
    };
    // Connecting has deadlines of its own.
    const timeoutMs = step === 'connect' ? 0 : context.options.hookTimeoutMs;
    const late = step === 'connect' ? (session: unknown): void => (session as ClientSession).release() : undefined;
    this.#pending = new PendingHook(step, answer, timeoutMs, context.wheel, goOn, failed, late);
  }

  #resume(step: Step, value: unknown): void {
    let next: Step | undefined;
    try {
      next = this.#settle(step, value);
    } catch (error) {
      this.#failed(step, error);
      return;
    }
    if (next !== undefined) this.run(next);
  }

  #failed(step: Step, thrown: unknown): void {
    this.#owner.stepFailed(step, CirqueError.from(thrown, 'InternalError', 'Internal'));
  }
}

function checkPeer(answer: unknown): Peer {
  const peer = answer as Partial<Peer> | undefined;
  if (
    typeof peer === 'object' &&
    peer !== null &&
    peer.address !== undefined &&
    peer.options !== undefined &&
    peer.reuseKey !== undefined
  ) {
    return peer as Peer;
  }
  throw CirqueError.internal('InternalError', `upstreamPeer answered ${typeof answer}: expected a HttpPeer`);
}
