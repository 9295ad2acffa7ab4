/**
 * The life of one connection: its phases in their order, attempts to connect, the relay, and exactly one end.
 *
 * A synchronous phase is a call; only a promise is awaited. Until there is a relay this object reads the client, so that
 * one who leaves is noticed and what it says first is kept.
 */
import { CirqueError } from '@cirque/error';
import type { Opening, OpeningWaiter, Peer } from '@cirque/pool';
import type { Lease, Stream, StreamHandler } from '@cirque/transport';
import { awaitPhase } from '../pending-phase.ts';
import { atOnce, isThenable, judgement } from '../phase-hooks.ts';
import type { CloseReason } from '../stream-session.ts';
import { FirstBytes } from './first-bytes.ts';
import { Peeking } from './peeking.ts';
import { Relay, type RelayOwner } from './relay.ts';
import { logEnd, logRetry, runLogging } from './session-log.ts';
import { streamConnectError, streamConnected, streamEnd, streamStart } from './stream-events.ts';
import type { TcpContext } from './tcp-context.ts';
import { TcpSession } from './tcp-session.ts';
import { UpstreamUse } from './upstream-use.ts';

/** Reading pauses when this much of the client waits for an upstream; one more read may be kept. */
const HOLD_BYTES = 16_384;

/** See the file's head. */
export class TcpConnection<Ctx> implements StreamHandler, OpeningWaiter, RelayOwner {
  readonly session: TcpSession;
  readonly #context: TcpContext<Ctx>;
  readonly #client: Stream;
  readonly #first = new FirstBytes();
  #ctx: Ctx | undefined;
  #peeking: Peeking | undefined;
  #peer: Peer | undefined;
  #opening: Opening | undefined;
  #openedAt = 0;
  #upstream: Stream | undefined;
  #relay: Relay | undefined;
  #clientEnded = false;
  #clientClosed = false;
  /** A phase has answered a promise that has not settled. */
  #phasePending = false;
  #ended = false;
  #concluded = false;
  #left = false;
  #error: CirqueError | undefined;

  constructor(client: Stream, context: TcpContext<Ctx>) {
    this.#client = client;
    this.#context = context;
    this.session = new TcpSession(client, (reason) => this.#end(reason));
  }

  /** Begins. Called once, by who got the connection. */
  start(): void {
    const { session } = this;
    const { counters, hooks, open, options, accessLog } = this.#context;
    open.enter();
    counters.sessions += 1;
    counters.active += 1;
    if (accessLog !== undefined || hooks.logging !== undefined) session.noteAddresses();
    session.uploadRate = options.uploadRate;
    session.downloadRate = options.downloadRate;
    if (streamStart.hasSubscribers) streamStart.publish({ session });
    this.#client.start(this);
    try {
      this.#ctx = atOnce('newCtx', hooks.newCtx());
    } catch (error) {
      this.#fail(error);
      return;
    }
    if (hooks.peek === undefined) this.#choose();
    else this.#peek();
  }

  /** The service stops, and the time of connections is over. */
  shutDown(): void {
    this.#end('shutdown', CirqueError.internal('ConnectionClosed', 'the service stopped'));
  }

  onRead(buffer: Buffer, length: number, _lease: Lease | undefined): void {
    this.#first.add(buffer, length);
    this.session.firstBytes = this.#first.length;
    if (this.#peeking !== undefined) this.#peeking.more();
    else if (this.#first.length >= HOLD_BYTES) this.#client.pause();
  }

  onReadEnd(): void {
    this.#clientEnded = true;
    this.#peeking?.end();
  }

  onDrain(): void {}

  onClose(error: CirqueError | undefined): void {
    this.#clientClosed = true;
    // Nobody but the service closes it without a word.
    if (error === undefined && !this.#clientEnded && !this.#ended) this.shutDown();
    else this.#end('client', error ?? CirqueError.downstream('ConnectionClosed', 'the client left'));
    this.#conclude();
  }

  #peek(): void {
    const { hooks, options, wheel } = this.#context;
    const peek = (seen: Buffer, ended: boolean): boolean =>
      atOnce('peek', hooks.peek?.(this.session, seen, ended, this.#ctx as Ctx)) === 'more';
    this.#peeking = new Peeking(this.#first, peek, options, wheel, (error) => {
      this.#peeking = undefined;
      if (error !== undefined) this.#fail(error);
      else if (!this.#ended) this.#choose();
    });
  }

  #choose(): void {
    const { session } = this;
    session.attempts += 1;
    if (session.attempts > 1) this.#context.counters.retries += 1;
    this.#run(
      'upstreamPeer',
      () => this.#context.hooks.upstreamPeer(session, this.#ctx as Ctx),
      (peer) => this.#connect(peer as Peer),
    );
  }

  #connect(peer: Peer): void {
    if (peer?.options === undefined) {
      this.#fail(CirqueError.internal('InternalError', `upstreamPeer answered ${String(peer)}: expected a peer`));
      return;
    }
    this.#peer = peer;
    this.#openedAt = performance.now();
    this.#opening = this.#context.connector.open(peer, this);
  }

  onOpened(upstream: Stream): void {
    const { session } = this;
    const { hooks, counters } = this.#context;
    const peer = this.#peer as Peer;
    this.#opening = undefined;
    this.#upstream = upstream;
    session.connectMs = performance.now() - this.#openedAt;
    session.upstream = new UpstreamUse(peer.address, upstream, counters.upstreams.of(peer.address));
    if (streamConnected.hasSubscribers) streamConnected.publish({ session, peer });
    if (hooks.connectedToUpstream === undefined) this.#join(upstream);
    else
      this.#run(
        'connectedToUpstream',
        () => hooks.connectedToUpstream?.(session, peer, upstream.digest, this.#ctx as Ctx),
        () => this.#join(upstream),
      );
  }

  onOpenFailed(error: CirqueError): void {
    const { session } = this;
    const { counters, hooks } = this.#context;
    const peer = this.#peer as Peer;
    this.#opening = undefined;
    counters.connectFailures += 1;
    counters.upstreams.of(peer.address).connectFailures += 1;
    if (streamConnectError.hasSubscribers) streamConnectError.publish({ session, peer, error });
    let judged: CirqueError = error;
    try {
      judged = judgement('failToConnect', hooks.failToConnect?.(session, peer, this.#ctx as Ctx, error)) ?? error;
    } catch (failure) {
      this.#fail(failure);
      return;
    }
    this.#attemptFailed(judged);
  }

  onFirstByte(): void {
    this.session.firstByteMs = this.session.sinceStartMs();
  }

  onRelayOver(): void {
    const { reason = 'error', error } = this.#relay as Relay;
    this.#clientClosed = true;
    this.#ended = true;
    this.#error ??= error;
    this.session.ended(reason);
    this.#conclude();
  }

  #join(upstream: Stream): void {
    const { options, clock, wheel } = this.#context;
    const { idleTimeoutMs, halfCloseTimeoutMs } = options;
    const relay = new Relay(this.#client, upstream, { idleTimeoutMs, halfCloseTimeoutMs, clock, wheel }, this);
    this.#relay = relay;
    this.session.joined(relay);
    relay.start(this.#first.take());
  }

  /** Another attempt if the error says so, and the end if not. */
  #attemptFailed(error: CirqueError): void {
    this.#upstream?.destroy();
    this.#upstream = undefined;
    const { maxRetries } = this.#context.options;
    if (!this.#ended && error.retryable(false) && this.session.attempts <= maxRetries) {
      logRetry(this.#context, this.session, this.#peer, error);
      this.session.upstream = undefined;
      this.session.connectMs = undefined;
      // Not from within: whoever fails at once would be called deeper and deeper.
      process.nextTick(() => {
        if (!this.#ended) this.#choose();
      });
      return;
    }
    this.#end(error.source === 'Upstream' ? 'connect' : 'error', error);
  }

  /** Runs a phase, and what follows: at once, or when its promise has settled. */
  #run(name: string, phase: () => unknown, then: (answer: unknown) => void): void {
    let answer: unknown;
    try {
      answer = phase();
    } catch (error) {
      this.#attemptFailed(errorOf(error));
      return;
    }
    if (!isThenable(answer)) {
      this.#goOn(then, answer);
      return;
    }
    const { options, wheel } = this.#context;
    const settled = (next: (value: unknown) => void, value: unknown): void => {
      this.#phasePending = false;
      if (this.#ended) this.#conclude();
      else this.#goOn(next, value);
    };
    this.#phasePending = true;
    awaitPhase(name, answer, options.hookTimeoutMs, wheel, {
      onAnswer: (value) => settled(then, value),
      onError: (error) => settled((reason) => this.#attemptFailed(errorOf(reason)), error),
    });
  }

  /** What a phase has answered may be anything: a connector throws at what is no peer. */
  #goOn(then: (answer: unknown) => void, answer: unknown): void {
    if (this.#ended) return;
    try {
      then(answer);
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    this.#end('error', errorOf(error));
  }

  /** The end, for this reason; later ones do not count. `logging` follows when everything is closed. */
  #end(reason: CloseReason, error?: CirqueError): void {
    if (this.#ended) return;
    if (this.#relay !== undefined) {
      this.#relay.cut(reason, error);
      return;
    }
    this.#ended = true;
    this.#error = error;
    this.#peeking?.stop();
    this.#opening?.cancel();
    this.#upstream?.destroy();
    this.session.ended(reason);
    if (reason === 'shutdown') this.#client.reset();
    else this.#client.destroy();
  }

  /** The last phase, once: when both sides are closed and no other phase is under way. */
  #conclude(): void {
    if (this.#concluded || !this.#clientClosed) return;
    if (this.#phasePending) {
      this.#leave();
      return;
    }
    this.#concluded = true;
    const { session } = this;
    const { hooks, counters, accessLog } = this.#context;
    const error = this.#error;
    counters.over(session);
    if (streamEnd.hasSubscribers) streamEnd.publish({ session, peer: this.#peer, error });
    logEnd(this.#context, session, this.#peer, error);
    if (hooks.logging !== undefined) runLogging(this.#context, session, error, this.#ctx as Ctx);
    accessLog?.(session, error);
    this.#leave();
  }

  /** Nobody has to wait for it any more. */
  #leave(): void {
    if (!this.#left) this.#context.open.leave();
    this.#left = true;
  }
}

function errorOf(thrown: unknown): CirqueError {
  return CirqueError.from(thrown, 'InternalError', 'Internal');
}
