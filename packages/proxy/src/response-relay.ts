/**
 * Carries the response from the upstream to the client: heads through their two phases, the body through its filters,
 * back-pressure. The handler of the upstream session.
 */
import type { ServerSession } from '@cirque/core';
import { CirqueError } from '@cirque/error';
import type { ConnectionOptions, HeaderMap, ResponseHeader } from '@cirque/http';
import type { ClientSession, ClientSessionHandler } from '@cirque/pool';
import type { Lease } from '@cirque/transport';
import { type BodyFilter, BodyFilters } from './body-filters.ts';
import type { ExchangeContext } from './exchange-context.ts';
import { isThenable } from './hooks.ts';
import { PendingHook } from './pending-hook.ts';
import type { Session } from './session.ts';

/** What the relay needs of its exchange. */
export interface ResponseOwner<Ctx> {
  readonly downstream: ServerSession;
  readonly session: Session;
  readonly context: ExchangeContext<Ctx>;
  readonly ctx: Ctx;
  /** A head has come that the client was not told of yet. */
  answered(): void;
  /** The upstream took what was written of the request. */
  requestDrained(): void;
  /** Everything of the response was given to the client. */
  responseDone(): void;
  /** The attempt failed by what happened here, or there. */
  attemptFailed(error: unknown): void;
}

type HeadPhase = 'upstreamResponseFilter' | 'responseFilter';

/** See the file's head. One per request; {@link begin} starts with each attempt. */
export class ResponseRelay<Ctx> implements ClientSessionHandler {
  readonly #owner: ResponseOwner<Ctx>;
  #upstream: ClientSession | undefined = undefined;
  #pending: PendingHook | undefined = undefined;
  #header: ResponseHeader | undefined = undefined;
  #bodyLength: number | undefined = undefined;
  #interim = false;
  #filters: BodyFilters | undefined = undefined;

  constructor(owner: ResponseOwner<Ctx>) {
    this.#owner = owner;
  }

  /** Listens to the upstream of a new attempt. */
  begin(upstream: ClientSession): void {
    this.#upstream = upstream;
    upstream.handler = this;
  }

  /** The attempt is over: what is still pending is ignored. */
  detach(): void {
    this.#pending?.cancel();
    this.#pending = undefined;
    this.#filters?.stop();
    this.#filters = undefined;
    this.#upstream = undefined;
  }

  /** The client took what was written. */
  onDownstreamDrain(): void {
    if (this.#pending === undefined && this.#filters?.pending !== true) this.#upstream?.resume();
  }

  onResponseHead(header: ResponseHeader, bodyLength: number | undefined, connection: ConnectionOptions): void {
    header.headers.stripHopByHop(connection.nominated);
    this.#header = header;
    this.#interim = header.informational;
    this.#bodyLength = bodyLength;
    this.#owner.answered();
    this.#filterHead('upstreamResponseFilter');
  }

  onResponseBody(buffer: Buffer, start: number, end: number, lease: Lease | undefined): void {
    if (this.#filters !== undefined) {
      this.#filters.push(buffer, start, end);
      return;
    }
    try {
      if (!this.#owner.downstream.writeBody(buffer, start, end, lease)) this.#upstream?.pause();
    } catch (error) {
      this.#owner.attemptFailed(error);
    }
  }

  onResponseEnd(_trailers: HeaderMap | undefined): void {
    if (this.#filters !== undefined) this.#filters.finish();
    else this.#owner.responseDone();
  }

  onUpstreamFlush(): void {
    this.#owner.downstream.flush();
  }

  onUpstreamDrain(): void {
    this.#owner.requestDrained();
  }

  onUpstreamError(error: CirqueError): void {
    this.#owner.attemptFailed(error);
  }

  /** Calls the phases of a head from one on, then writes it. */
  #filterHead(from: HeadPhase): void {
    const { hooks } = this.#owner.context;
    try {
      if (from === 'upstreamResponseFilter' && hooks.upstreamResponseFilter !== undefined) {
        if (this.#awaits(from, hooks.upstreamResponseFilter)) return;
      }
      if (hooks.responseFilter !== undefined && this.#awaits('responseFilter', hooks.responseFilter)) return;
      this.#writeHead();
    } catch (error) {
      this.#owner.attemptFailed(error);
    }
  }

  /** Calls one phase; true when its answer has to be awaited, and the head waits with it. */
  #awaits(phase: HeadPhase, hook: (session: Session, header: ResponseHeader, ctx: Ctx) => unknown): boolean {
    const { session, ctx, context } = this.#owner;
    const upstream = this.#upstream;
    const answer = hook(session, this.#header as ResponseHeader, ctx);
    // The phase may have done something that ended the attempt.
    if (this.#upstream !== upstream) return true;
    if (!isThenable(answer)) return false;
    upstream?.pause();
    const goOn = (): void => {
      this.#pending = undefined;
      if (phase === 'upstreamResponseFilter') this.#filterHead('responseFilter');
      else this.#writeLate();
      if (this.#pending === undefined) this.onDownstreamDrain();
    };
    const failed = (error: unknown): void => {
      this.#pending = undefined;
      this.#owner.attemptFailed(error);
    };
    this.#pending = new PendingHook(phase, answer, context.options.hookTimeoutMs, context.wheel, goOn, failed);
    return true;
  }

  #writeLate(): void {
    try {
      this.#writeHead();
    } catch (error) {
      this.#owner.attemptFailed(error);
    }
  }

  #writeHead(): void {
    const header = this.#header as ResponseHeader;
    const { downstream, session, context } = this.#owner;
    if (header.informational !== this.#interim) {
      const what = `a filter made a response of status ${header.status} of another kind`;
      throw CirqueError.internal('InternalError', what);
    }
    if (header.informational) {
      downstream.writeHead(header, false);
      return;
    }
    const { upstreamResponseBodyFilter, responseBodyFilter } = context.hooks;
    const filtered = upstreamResponseBodyFilter !== undefined || responseBodyFilter !== undefined;
    downstream.writeHead(header, this.#bodyLength === 0 && !filtered);
    session.noteResponse(header);
    if (filtered) this.#filters = this.#makeFilters();
  }

  #makeFilters(): BodyFilters {
    const { session, ctx, context, downstream } = this.#owner;
    const filters: BodyFilter[] = [];
    for (const name of ['upstreamResponseBodyFilter', 'responseBodyFilter'] as const) {
      const hook = context.hooks[name];
      if (hook !== undefined) filters.push({ name, call: (body, end) => hook(session, body, end, ctx) });
    }
    const ends = {
      pauseSource: () => {
        downstream.flush();
        this.#upstream?.pause();
      },
      resumeSource: () => this.#upstream?.resume(),
      write: (body: Buffer) => downstream.writeBody(body, 0, body.length, undefined),
      end: () => this.#owner.responseDone(),
      fail: (error: unknown) => this.#owner.attemptFailed(error),
    };
    return new BodyFilters(filters, ends, context.options.hookTimeoutMs, context.wheel);
  }
}
