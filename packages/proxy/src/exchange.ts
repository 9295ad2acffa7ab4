/**
 * Drives one request: attempts and retries, tunnels, time, failure, and what joins the parts that do the work.
 *
 * The phases up to the request upstream are phase-chain.ts, the bodies are carried by request-relay.ts and
 * response-relay.ts, the end is in conclusion.ts. It knows sessions, not HTTP versions.
 */
import type { ServerSession, ServerSessionHandler } from '@cirque/core';
import { CirqueError } from '@cirque/error';
import type { HeaderMap, RequestHeader } from '@cirque/http';
import type { ClientSession, HttpPeer, Peer } from '@cirque/pool';
import { Timer, type TimerWheel } from '@cirque/timeout';
import { formatAddress } from '@cirque/transport';
import type { BodyFilter } from './body-filters.ts';
import { type Concluded, Conclusion } from './conclusion.ts';
import { phasesAreWatched, requestStart } from './diagnostics.ts';
import type { ExchangeContext } from './exchange-context.ts';
import { logPhaseFailure, logRetry } from './exchange-log.ts';
import type { FilteredWriter, WriterOwner } from './filtered-writer.ts';
import { atOnce, decision, onlyLogging } from './hooks.ts';
import { ModuleChain } from './http-modules.ts';
import { addBodyFilters } from './module-filters.ts';
import { type ChainOwner, PhaseChain, type Step } from './phase-chain.ts';
import { type RelayOwner, RequestRelay } from './request-relay.ts';
import { type ResponseOwner, ResponseRelay } from './response-relay.ts';
import { Session, type SessionBackend } from './session.ts';
import { TunnelEnds } from './tunnel-ends.ts';
import { isIdempotent, normaliseTarget, passesTunnel, takeNominated } from './upstream-head.ts';
import { watchedHooks } from './watched-hooks.ts';

/** See the file's head. */
export class Exchange<Ctx>
  implements
    ServerSessionHandler,
    SessionBackend,
    ChainOwner<Ctx>,
    RelayOwner,
    ResponseOwner<Ctx>,
    WriterOwner,
    Concluded<Ctx>
{
  readonly downstream: ServerSession;
  readonly session: Session;
  readonly startedAt: number;
  #context: ExchangeContext<Ctx>;
  #ctx: Ctx = undefined as Ctx;
  /** The peer of the last attempt. */
  peer: HttpPeer | Peer | undefined = undefined;
  #upstream: ClientSession | undefined = undefined;
  /** The connection of the last attempt came from the pool. */
  upstreamReused = false;
  /** Payload received on upstream connections that are done with. */
  #earlierUpstreamBytes = 0;
  #relay: RequestRelay | undefined = undefined;
  readonly #responseRelay: ResponseRelay<Ctx> = new ResponseRelay(this);
  /** The modules of this request on the client's side. */
  downstreamModules: ModuleChain | undefined = undefined;
  /** Writes the response of a phase through the modules. */
  writer: FilteredWriter | undefined = undefined;
  #timer: Timer | undefined = undefined;
  #tunnel: TunnelEnds | undefined = undefined;
  readonly #chain: PhaseChain<Ctx>;
  readonly #conclusion: Conclusion<Ctx> = new Conclusion(this);

  constructor(downstream: ServerSession, context: ExchangeContext<Ctx>) {
    this.downstream = downstream;
    this.#context = context;
    this.startedAt = context.accessLog === undefined ? 0 : performance.now();
    normaliseTarget(downstream);
    const nominated = takeNominated(downstream);
    this.session = new Session(this);
    this.#chain = new PhaseChain(this, nominated);
    // Once the client has left it can no longer be asked for, and the last phases and the access log want it.
    if (context.needsClientAddress) void this.session.clientAddress;
  }

  /** Begins with `newCtx`. */
  start(): void {
    if (requestStart.hasSubscribers) requestStart.publish({ session: this.session });
    if (phasesAreWatched()) this.#context = { ...this.#context, hooks: watchedHooks(this.#context.hooks, this) };
    const { hooks, counters } = this.#context;
    counters.requests += 1;
    counters.active += 1;
    const { downstream } = this;
    downstream.handler = this;
    if (this.#context.options.requestTimeoutMs > 0) this.#startTimer(this.#context.options.requestTimeoutMs);
    try {
      this.#ctx = atOnce('newCtx', hooks.newCtx());
    } catch (error) {
      // Without a context no phase can be called, but for the one that sees every request.
      this.#context = { ...this.#context, hooks: onlyLogging(hooks) };
      this.#fail(CirqueError.from(error, 'InternalError', 'Internal'));
      return;
    }
    if (this.#context.downstreamModules.length > 0 && !this.#createModules()) return;
    const filtered = hooks.requestBodyFilter !== undefined || this.downstreamModules !== undefined;
    if (downstream.bodyLength !== 0 || downstream.tunnel !== undefined || filtered)
      this.#relay = new RequestRelay(this);
    this.#chain.run(downstream.connectionContext === undefined ? 'earlyRequestFilter' : 'onConnectionReuse');
  }

  #createModules(): boolean {
    try {
      this.downstreamModules = ModuleChain.create(this.#context.downstreamModules, this.session.requestHeader);
      return true;
    } catch (error) {
      this.#fail(CirqueError.from(error, 'InternalError', 'Internal'));
      return false;
    }
  }

  // ---- the chain of phases

  /** @internal of ChainOwner */
  get collectingBody(): boolean {
    return this.#relay?.collecting === true;
  }

  /** @internal of ChainOwner */
  get concluded(): boolean {
    return this.#conclusion.begun;
  }

  /** @internal of ChainOwner */
  connected(upstream: ClientSession): void {
    this.#upstream = upstream;
    this.#responseRelay.begin(upstream);
    this.upstreamReused = upstream.reused;
  }

  /** @internal of ChainOwner */
  send(head: RequestHeader): void {
    const upstream = this.#upstream as ClientSession;
    if (this.#relay === undefined) upstream.writeHead(head, 0);
    else this.#relay.send(upstream, head);
  }

  /** @internal of ChainOwner */
  stepFailed(step: Step, error: CirqueError): void {
    // Once there is a connection whatever fails is a failure of the attempt, also what is made for it.
    if (this.#upstream !== undefined) this.attemptFailed(error);
    else if (step === 'connect') this.#connectFailed(error);
    else if (step === 'upstreamPeer') this.#retryOrFail(error, error.retry === true);
    else this.#fail(error);
  }

  /** @internal of ChainOwner */
  answered(step: 'requestFilter' | 'proxyUpstreamFilter'): void {
    const { downstream } = this;
    if (downstream.responseStarted || !downstream.writable) {
      this.#concludeWritten();
    } else if (step === 'requestFilter') {
      this.#fail(CirqueError.internal('InternalError', 'requestFilter answered true but wrote no response'));
    } else {
      this.session.respond(502, '', { 'Cache-Control': 'private, no-store' });
      this.#concludeWritten();
    }
  }

  /** A phase has written the response; modules may still be at work on it. */
  #concludeWritten(): void {
    const { writer } = this;
    if (writer === undefined) {
      this.responseDone();
      return;
    }
    writer.end();
    writer.whenEnded(() => this.responseDone());
  }

  /** @internal of WriterOwner */
  writerDrained(): void {
    this.session.noteDrained();
    this.#drained?.resolve();
    this.#drained = undefined;
  }

  /** @internal of WriterOwner */
  writerFailed(error: unknown): void {
    this.#fail(CirqueError.from(error, 'InternalError', 'Internal'));
  }

  /** @internal of ResponseOwner */
  moduleFailed(error: unknown): void {
    logPhaseFailure(this.#context, this.session, 'a module', error);
  }

  /** @internal of SessionBackend */
  get upstreamModules(): ModuleChain | undefined {
    return this.#responseRelay.upstreamModules;
  }

  /** @internal of SessionBackend: error pages pass no modules. */
  get respondingModules(): ModuleChain | undefined {
    return this.#conclusion.begun ? undefined : this.downstreamModules;
  }

  // ---- time

  /** Bounds the whole request, and then what comes after it. */
  #startTimer(ms: number): void {
    this.#timer = new Timer(() => this.#timedOut(), this.wheel);
    this.#timer.set(ms);
  }

  #timedOut(): void {
    if (this.#tunnel !== undefined) {
      this.#fail(CirqueError.upstream('ReadTimedout', 'the tunnel was idle for tunnelIdleTimeoutMs'));
      return;
    }
    const waitsForClient = this.#relay !== undefined && !this.downstream.requestComplete;
    const source = waitsForClient ? 'Downstream' : 'Upstream';
    this.#fail(new CirqueError('ReadTimedout', 'the request took longer than requestTimeoutMs', { source }));
  }

  // ---- tunnels

  /** @internal of ResponseOwner */
  headComes(tunnel: boolean): void {
    if (this.downstream.tunnel === undefined) return;
    if (!tunnel) {
      this.#relay?.noTunnel();
      return;
    }
    this.#timer?.close();
    const { tunnelIdleTimeoutMs } = this.#context.options;
    this.#tunnel = new TunnelEnds(tunnelIdleTimeoutMs);
    if (tunnelIdleTimeoutMs > 0) this.#startTimer(tunnelIdleTimeoutMs);
    this.#relay?.openTunnel();
  }

  /** @internal of RelayOwner */
  requestSent(): void {
    if (this.#tunnel?.clientEnded() === true) this.#conclude();
  }

  /** Bytes have passed the tunnel. */
  #tunnelUsed(): void {
    if (this.#tunnel === undefined || this.#tunnel.idleTimeoutMs === 0 || this.#conclusion.begun) return;
    this.#timer?.set(this.#tunnel.idleTimeoutMs);
  }

  // ---- the upstream side

  /** @internal of SessionRequest: a request that must not be sent twice gets a connection that was looked at. */
  get careful(): boolean {
    return !isIdempotent(this.session.requestHeader);
  }

  /** @internal of SessionRequest: only HTTP/1 connections can become tunnels. A wish that is not passed on is none. */
  get http1Only(): boolean {
    return passesTunnel(this.downstream.tunnel, this.peer as Peer);
  }

  /** @internal of SessionRequest */
  get signal(): AbortSignal {
    return this.session.signal;
  }

  /** @internal of ResponseOwner */
  get context(): ExchangeContext<Ctx> {
    return this.#context;
  }

  /** @internal of ResponseOwner */
  get ctx(): Ctx {
    return this.#ctx;
  }

  /** @internal of ResponseOwner */
  headArrived(): void {
    this.#relay?.answered();
  }

  /** @internal of ResponseOwner */
  requestDrained(): void {
    this.#relay?.onUpstreamDrain();
  }

  // ---- the client's side

  onRequestBody(buffer: Buffer, start: number, end: number): void {
    this.#relay?.onBody(buffer, start, end);
  }

  onRequestEnd(trailers: HeaderMap | undefined): void {
    this.#relay?.onEnd(trailers);
  }

  onDownstreamFlush(): void {
    this.#relay?.onFlush();
    if (this.#tunnel !== undefined) this.#tunnelUsed();
  }

  /** @internal of ResponseOwner */
  upstreamFlushed(): void {
    this.downstream.flush();
    if (this.#tunnel !== undefined) this.#tunnelUsed();
  }

  onDownstreamDrain(): void {
    this.writer?.drained();
    this.session.noteDrained();
    this.#drained?.resolve();
    this.#drained = undefined;
    this.#responseRelay.onDownstreamDrain();
  }

  onDownstreamError(error: CirqueError): void {
    this.#drained?.resolve();
    if (this.#conclusion.begun) this.session.noteAborted(error);
    else this.#fail(error);
  }

  #drained: PromiseWithResolvers<void> | undefined = undefined;

  /** @internal of SessionBackend */
  drained(): Promise<void> {
    this.#drained ??= Promise.withResolvers<void>();
    return this.#drained.promise;
  }

  /** @internal of SessionBackend */
  get upstreamBodyBytesReceived(): number {
    return this.#earlierUpstreamBytes + (this.#upstream?.bodyBytesReceived ?? 0);
  }

  /** @internal of SessionBackend */
  collectBody(maxBytes: number): Promise<Buffer> {
    return this.#relay?.collect(maxBytes) ?? Promise.resolve(Buffer.alloc(0));
  }

  /** @internal of RelayOwner */
  get hookTimeoutMs(): number {
    return this.#context.options.hookTimeoutMs;
  }

  /** @internal of RelayOwner */
  get wheel(): TimerWheel | undefined {
    return this.#context.wheel;
  }

  /** @internal of RelayOwner */
  get maxRequestBodyBytes(): number {
    return this.session.maxRequestBodyBytes;
  }

  /** @internal of RelayOwner */
  moduleBodyFilters(): readonly BodyFilter[] | undefined {
    if (this.downstreamModules === undefined) return undefined;
    const filters: BodyFilter[] = [];
    addBodyFilters(filters, this.downstreamModules, 'requestBodyFilter');
    return filters.length > 0 ? filters : undefined;
  }

  /** @internal of RelayOwner */
  requestBodyFilter(): BodyFilter | undefined {
    const hook = this.#context.hooks.requestBodyFilter;
    return hook === undefined
      ? undefined
      : { name: 'requestBodyFilter', call: (body, end) => hook(this.session, body, end, this.#ctx) };
  }

  /** @internal of RelayOwner */
  bodyFailed(error: unknown): void {
    if (this.#upstream !== undefined) this.attemptFailed(error);
    else this.#fail(CirqueError.from(error, 'InternalError', 'Internal'));
  }

  // ---- failure

  #connectFailed(cause: CirqueError): void {
    const { hooks } = this.#context;
    let error = cause;
    try {
      const answer: unknown = hooks.failToConnect?.(this.session, this.peer as Peer, this.#ctx, cause);
      error = decision('failToConnect', answer) ?? cause;
    } catch (thrown) {
      this.#fail(CirqueError.from(thrown, 'InternalError', 'Internal'));
      return;
    }
    if (error.source === 'Unset') error.setSource('Upstream');
    this.#retryOrFail(error, error.retry === true);
  }

  /** @internal of RelayOwner: the attempt broke after the connection was there. */
  attemptFailed(thrown: unknown): void {
    if (this.#conclusion.begun) return;
    const cause = CirqueError.from(thrown, 'InternalError', 'Internal');
    const { hooks } = this.#context;
    const reused = this.upstreamReused;
    // A phase that is still awaited belongs to the attempt that is over.
    this.#chain.cancel();
    this.#dropUpstream();
    let error = cause;
    try {
      const answer: unknown = hooks.errorWhileProxy?.(this.peer as Peer, this.session, cause, this.#ctx, reused);
      error = decision('errorWhileProxy', answer) ?? this.#peerError(cause);
    } catch (failure) {
      this.#fail(CirqueError.from(failure, 'InternalError', 'Internal'));
      return;
    }
    const again = error.retry === 'ReusedOnly' ? reused && isIdempotent(this.session.requestHeader) : error.retry;
    this.#retryOrFail(error, again);
  }

  #peerError(error: CirqueError): CirqueError {
    return error.moreContext(`Peer: ${formatAddress((this.peer as Peer).address)}`);
  }

  #retryOrFail(error: CirqueError, wanted: boolean): void {
    const { session, downstream } = this;
    const { options, counters } = this.#context;
    const possible = !downstream.responseStarted && downstream.writable && (this.#relay?.replayable ?? true);
    if (!wanted || !possible || session.retries >= options.maxRetries) {
      this.#fail(error);
      return;
    }
    session.retries += 1;
    counters.retries += 1;
    logRetry(this.#context, session, error, this.#ctx);
    if (downstream.bodyLength !== 0) downstream.pause();
    this.#chain.run('upstreamPeer');
  }

  #fail(error: CirqueError): void {
    if (this.#conclusion.begun) return;
    this.#chain.cancel();
    this.#timer?.close();
    this.writer?.stop();
    this.#relay?.failed(error);
    this.#dropUpstream();
    this.session.noteAborted(error);
    this.#conclusion.fail(error);
  }

  #dropUpstream(): void {
    this.#relay?.detach();
    this.#responseRelay.detach();
    const upstream = this.#upstream;
    this.#upstream = undefined;
    if (upstream === undefined) return;
    this.#earlierUpstreamBytes += upstream.bodyBytesReceived;
    upstream.abort();
  }

  // ---- the end

  /** @internal of ResponseOwner: everything was given to the client. */
  responseDone(trailers?: HeaderMap): void {
    if (this.#conclusion.begun) return;
    try {
      this.downstream.writeEnd(trailers);
    } catch (error) {
      if (this.#upstream === undefined) this.#fail(CirqueError.from(error, 'InternalError', 'Internal'));
      else this.attemptFailed(error);
      return;
    }
    // The other direction of a tunnel goes on until it ends as well.
    if (this.#tunnel === undefined || this.#tunnel.upstreamEnded()) this.#conclude();
  }

  #conclude(): void {
    if (this.#conclusion.begun) return;
    const upstream = this.#upstream;
    this.#upstream = undefined;
    this.#timer?.close();
    this.#relay?.over();
    if (upstream !== undefined) {
      this.#responseRelay.detach();
      this.#earlierUpstreamBytes += upstream.bodyBytesReceived;
      upstream.release();
    }
    this.#conclusion.succeed();
  }
}
