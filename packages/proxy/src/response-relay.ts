/**
 * Carries the response from the upstream to the client: heads through modules and phases, the body through its filters,
 * trailers, back-pressure. In a tunnel it carries what the upstream sends. The handler of the upstream session.
 */
import { opensTunnel, type ServerSession } from '@cirque/core';
import { CirqueError } from '@cirque/error';
import { type ConnectionOptions, forwardableTrailers, HeaderMap, type ResponseHeader } from '@cirque/http';
import type { ClientSession, ClientSessionHandler } from '@cirque/pool';
import type { Lease } from '@cirque/transport';
import { type BodyFilter, BodyFilters } from './body-filters.ts';
import type { ExchangeContext } from './exchange-context.ts';
import { isThenable } from './hooks.ts';
import { ModuleChain } from './http-modules.ts';
import { addBodyFilters, filterResponseHeader, filterTrailers } from './module-filters.ts';
import { PendingHook } from './pending-hook.ts';
import { ResponsePacer } from './response-pacer.ts';
import type { Session } from './session.ts';

/** What the relay needs of its exchange. */
export interface ResponseOwner<Ctx> {
  readonly downstream: ServerSession;
  readonly session: Session;
  readonly context: ExchangeContext<Ctx>;
  readonly ctx: Ctx;
  /** A head has come that the client was not told of yet. */
  headArrived(): void;
  /** The upstream took what was written of the request. */
  requestDrained(): void;
  /** The modules of this request on the client's side. */
  readonly downstreamModules: ModuleChain | undefined;
  /** The final head will be written, and this is what follows it: `tunnel` makes the rest raw bytes. */
  headComes(tunnel: boolean): void;
  /** Everything of the response was given to the client, but for its end. */
  responseDone(trailers?: HeaderMap): void;
  /** All that arrived together was written: send it. */
  upstreamFlushed(): void;
  /** The attempt failed by what happened here, or there. */
  attemptFailed(error: unknown): void;
  /** A module has thrown where nothing depends on it any more. */
  moduleFailed(error: unknown): void;
}

type HeadPhase = 'upstreamResponseFilter' | 'responseFilter';
type TrailerPhase = 'upstreamResponseTrailerFilter' | 'responseTrailerFilter';

/** See the file's head. One per request; {@link begin} starts with each attempt. */
export class ResponseRelay<Ctx> implements ClientSessionHandler {
  readonly #owner: ResponseOwner<Ctx>;
  #upstream: ClientSession | undefined = undefined;
  #pending: PendingHook | undefined = undefined;
  #header: ResponseHeader | undefined = undefined;
  #bodyLength: number | undefined = undefined;
  #interim = false;
  #filters: BodyFilters | undefined = undefined;
  #trailers: HeaderMap | undefined = undefined;
  /** The modules of this attempt on the upstream's side. */
  upstreamModules: ModuleChain | undefined = undefined;

  constructor(owner: ResponseOwner<Ctx>) {
    this.#owner = owner;
  }

  /** Listens to the upstream of a new attempt. */
  begin(upstream: ClientSession): void {
    this.#upstream = upstream;
    upstream.handler = this;
    const { upstreamModules } = this.#owner.context;
    if (upstreamModules.length > 0)
      this.upstreamModules = ModuleChain.create(upstreamModules, this.#owner.session.requestHeader);
  }

  /** The attempt is over: what is still pending is ignored. */
  detach(): void {
    this.#pending?.cancel();
    this.#pending = undefined;
    this.#filters?.stop();
    this.#filters = undefined;
    this.#upstream = undefined;
    this.upstreamModules?.close((error) => this.#owner.moduleFailed(error));
    this.upstreamModules = undefined;
  }

  /** The client took what was written. */
  onDownstreamDrain(): void {
    if (this.#pending === undefined && this.#filters?.pending !== true) this.#upstream?.resume();
  }

  onResponseHead(header: ResponseHeader, bodyLength: number | undefined, connection: ConnectionOptions): void {
    const protocol = header.status === 101 ? header.headers.get('upgrade') : undefined;
    header.headers.stripHopByHop(connection.nominated);
    if (protocol !== undefined) header.headers.set('Upgrade', protocol);
    this.#header = header;
    this.#interim = header.informational;
    this.#bodyLength = bodyLength;
    this.#owner.headArrived();
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

  onResponseEnd(trailers: HeaderMap | undefined): void {
    if (trailers !== undefined) this.#trailers = forwardableTrailers(trailers);
    if (this.#filters !== undefined) this.#filters.finish();
    else this.#bodyDone();
  }

  onUpstreamFlush(): void {
    this.#owner.upstreamFlushed();
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
      if (from === 'upstreamResponseFilter') this.#showToModules(this.#header as ResponseHeader);
      if (from === 'upstreamResponseFilter' && hooks.upstreamResponseFilter !== undefined) {
        if (this.#awaits(from, hooks.upstreamResponseFilter)) return;
      }
      if (hooks.responseFilter !== undefined && this.#awaits('responseFilter', hooks.responseFilter)) return;
      this.#writeHead();
    } catch (error) {
      this.#owner.attemptFailed(error);
    }
  }

  /** Those of the upstream's side see final heads of messages. */
  #showToModules(header: ResponseHeader): void {
    if (this.#interim || opensTunnel(this.#owner.downstream.tunnel, header.status)) return;
    filterResponseHeader(this.upstreamModules, header, this.#bodyLength === 0);
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
    const { downstream, session } = this.#owner;
    if (header.informational !== this.#interim) {
      const what = `a filter made a response of status ${header.status} of another kind`;
      throw CirqueError.internal('InternalError', what);
    }
    if (header.informational) {
      downstream.writeHead(header, false);
      return;
    }
    const tunnelled = opensTunnel(downstream.tunnel, header.status);
    // Before the body filters are collected: a module may find out only here that it has nothing to do with the body.
    if (!tunnelled) filterResponseHeader(this.#owner.downstreamModules, header, this.#bodyLength === 0);
    const filters = this.#bodyFilters(!tunnelled);
    const end = this.#bodyLength === 0 && filters.length === 0 && !tunnelled;
    if (filters.length > 0) this.#filters = this.#filterWith(filters);
    this.#owner.headComes(tunnelled);
    downstream.writeHead(header, end);
    session.noteResponse(header);
    if (tunnelled) downstream.resume();
  }

  /** Modules see messages, not what passes a tunnel. */
  #bodyFilters(modules: boolean): readonly BodyFilter[] {
    const { session, ctx, context, downstream, downstreamModules } = this.#owner;
    const { upstreamResponseBodyFilter, responseBodyFilter } = context.hooks;
    const simple = upstreamResponseBodyFilter === undefined && responseBodyFilter === undefined;
    if (simple && this.upstreamModules === undefined && downstreamModules === undefined && session.responseRate === 0)
      return NO_FILTERS;
    const filters: BodyFilter[] = [];
    if (modules) addBodyFilters(filters, this.upstreamModules, 'responseBodyFilter');
    for (const name of ['upstreamResponseBodyFilter', 'responseBodyFilter'] as const) {
      const hook = context.hooks[name];
      if (hook !== undefined) filters.push({ name, call: (body, end) => hook(session, body, end, ctx) });
    }
    if (modules) addBodyFilters(filters, downstreamModules, 'responseBodyFilter');
    if (session.responseRate > 0) {
      const write = (piece: Buffer): void => {
        downstream.writeBody(piece, 0, piece.length, undefined);
        downstream.flush();
      };
      const pacer = new ResponsePacer(session.responseRate, write, session.signal, context.wheel);
      filters.push({ name: 'response rate', unbounded: true, call: (body) => pacer.pace(body) });
    }
    return filters;
  }

  #filterWith(filters: readonly BodyFilter[]): BodyFilters {
    const { context, downstream } = this.#owner;
    const ends = {
      pauseSource: () => {
        downstream.flush();
        this.#upstream?.pause();
      },
      resumeSource: () => this.#upstream?.resume(),
      write: (body: Buffer) => downstream.writeBody(body, 0, body.length, undefined),
      end: () => this.#bodyDone(),
      fail: (error: unknown) => this.#owner.attemptFailed(error),
    };
    return new BodyFilters(filters, ends, context.options.hookTimeoutMs, context.wheel);
  }

  /** The body was given to the client; trailers pass their phases, then the response ends. */
  #bodyDone(): void {
    if (this.#trailers === undefined) this.#owner.responseDone();
    else this.#filterTrailers('upstreamResponseTrailerFilter', this.#trailers);
  }

  #filterTrailers(phase: TrailerPhase, trailers: HeaderMap): void {
    const { session, ctx, context } = this.#owner;
    const goOn = (answer: unknown): void => {
      this.#pending = undefined;
      try {
        if (answer !== undefined) this.#endWith(answer, phase);
        else if (phase === 'upstreamResponseTrailerFilter') this.#filterTrailers('responseTrailerFilter', trailers);
        else this.#endWith(filterTrailers(this.#owner.downstreamModules, trailers) ?? trailers, phase);
      } catch (error) {
        this.#owner.attemptFailed(error);
      }
    };
    try {
      const answer = context.hooks[phase]?.(session, trailers, ctx);
      if (!isThenable(answer)) {
        goOn(answer);
        return;
      }
      const failed = (error: unknown): void => this.#owner.attemptFailed(error);
      this.#pending = new PendingHook(phase, answer, context.options.hookTimeoutMs, context.wheel, goOn, failed);
    } catch (error) {
      this.#owner.attemptFailed(error);
    }
  }

  /** Trailers, or the bytes that take their place. */
  #endWith(end: unknown, phase: TrailerPhase): void {
    const { downstream } = this.#owner;
    if (end instanceof HeaderMap) {
      this.#owner.responseDone(end);
      return;
    }
    if (!(end instanceof Uint8Array))
      throw new TypeError(`${phase} answered ${typeof end}: expected bytes or undefined`);
    downstream.writeBody(Buffer.from(end.buffer, end.byteOffset, end.byteLength), 0, end.byteLength, undefined);
    this.#owner.responseDone();
  }
}

const NO_FILTERS: readonly BodyFilter[] = [];
