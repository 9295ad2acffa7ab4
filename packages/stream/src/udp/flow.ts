/**
 * One UDP session at work: lets its client in, passes datagrams on, ends once. Its way to the upstream is upstream-leg.ts.
 *
 * All that waits is bounded: datagrams by their queue, phases by `hookTimeoutMs`, the session by its idle time. What comes after
 * its end is ignored. A client is never told of a failure: nothing leaves towards it that did not come from the upstream.
 */
import type { RemoteInfo } from 'node:dgram';
import { CirqueError } from '@cirque/error';
import { awaitPhase } from '../pending-phase.ts';
import { atOnce, isThenable } from '../phase-hooks.ts';
import type { UdpCloseReason } from '../udp-session.ts';
import type { ClientPort } from './client-port.ts';
import { ClientSocket, type ClientSocketOwner } from './client-socket.ts';
import { DatagramQueue } from './datagram-queue.ts';
import { FlowFacts } from './flow-facts.ts';
import type { FlowHost } from './flow-host.ts';
import type { IdleNode } from './idle-list.ts';
import { type DatagramFilter, filterDatagram } from './udp-hooks.ts';
import { type LegOwner, UpstreamLeg } from './upstream-leg.ts';

/** What is sent again to another upstream. */
const RESENT = { datagrams: 16, bytes: 16_384 + 16 * 64 } as const;

/** See the file's head. */
export class Flow<Ctx> extends FlowFacts implements LegOwner<Ctx>, IdleNode<Flow<Ctx>>, ClientSocketOwner {
  isListed = false;
  lastActiveMs = 0;
  older: Flow<Ctx> | undefined;
  newer: Flow<Ctx> | undefined;
  readonly #host: FlowHost<Ctx>;
  readonly #port: ClientPort;
  /** `filtering`: sessionFilter has not answered; `fresh`: nothing to send yet; `choosing`: no upstream yet. */
  #state: 'filtering' | 'fresh' | 'choosing' | 'open' = 'filtering';
  #ctx: Ctx | undefined;
  readonly #waiting: DatagramQueue;
  /** What another upstream would get, if this one fails; undefined when nobody would ask for that. */
  #unanswered: DatagramQueue | undefined;
  #requests = 0;
  readonly #leg: UpstreamLeg<Ctx>;
  /** A phase is under way. */
  #awaited = false;
  #error: CirqueError | undefined;
  #own: ClientSocket | undefined;
  #askedForSocket = false;

  constructor(host: FlowHost<Ctx>, port: ClientPort, client: RemoteInfo) {
    super(client, port.address, host.counters, host.clock);
    const { options, hooks, budget } = host;
    this.#host = host;
    this.#port = port;
    this.#leg = new UpstreamLeg(host, this);
    this.#waiting = new DatagramQueue(options.maxQueuedBytes, budget);
    if (hooks.failToSend !== undefined) this.#unanswered = new DatagramQueue(RESENT.bytes, budget);
  }

  /** Asks sessionFilter; what comes meanwhile waits. */
  begin(): void {
    const { sessionFilter } = this.#host.hooks;
    if (sessionFilter === undefined) {
      this.#accepted();
      return;
    }
    const refuse = (): void => {
      this.#host.counters.refused += 1;
      this.#host.counters.dropped.refused += Math.max(1, this.#waiting.length);
      this.#end('filtered');
    };
    try {
      this.settle(
        'sessionFilter',
        sessionFilter(this.clientAddress),
        (fits) => (fits === true ? this.#accepted() : refuse()),
        refuse,
      );
    } catch {
      refuse();
    }
  }

  /** A datagram of the client has come in. */
  fromClient(bytes: Buffer): void {
    if (this.reason !== undefined) return;
    const { options, counters } = this.#host;
    this.countFromClient(bytes.length);
    this.#host.touched(this);
    if (this.#state !== 'filtering') this.#take(bytes);
    else if (!this.#waiting.push(bytes)) counters.dropped.queue += 1;
    // It stays, as it seems.
    if (this.#askedForSocket || options.responses > 0) return;
    if (this.datagramsFromClient >= this.#host.ownSocketFrom) this.ownSocket();
  }

  /** Gives the session a socket of its own towards its client, where that is possible. */
  ownSocket(): void {
    if (this.#own !== undefined || this.reason !== undefined || this.#state === 'filtering') return;
    this.#askedForSocket = true;
    if (!this.#host.mayOwnSocket()) return;
    this.#own = new ClientSocket(this.#port, this.client, this);
    this.#host.counters.ownSockets += 1;
    this.#own.open();
  }

  get ctx(): Ctx {
    return this.#ctx as Ctx;
  }

  /** True when it does without the socket on which all clients are received. */
  get hasOwnSocket(): boolean {
    return this.#own !== undefined;
  }

  close(): void {
    this.#end('closed');
  }

  /** Called by the service. */
  finish(reason: UdpCloseReason): void {
    this.#end(reason);
  }

  clientGone(): void {
    this.#end('client');
  }

  clientSocketFailed(error: NodeJS.ErrnoException): void {
    this.#dropOwnSocket();
    this.#host.ownSocketFailed(error);
  }

  upstreamReady(): void {
    this.#state = 'open';
    for (const bytes of this.#waiting.take()) this.#toUpstream(bytes);
  }

  fromUpstream(bytes: Buffer): void {
    const { hooks, options, counters } = this.#host;
    this.countFromUpstream(bytes.length);
    this.#host.touched(this);
    this.#forgetUnanswered();
    const filtered = this.#filter(bytes, hooks.datagramFromUpstream);
    if (this.reason !== undefined) return;
    if (filtered !== undefined && this.#toClient(filtered)) this.countToClient(filtered.length);
    else if (filtered !== undefined) counters.dropped.send += 1;
    if (options.responses > 0 && this.datagramsFromUpstream >= options.responses * this.#requests)
      this.#end('answered');
  }

  upstreamLost(): void {
    this.#state = 'choosing';
    for (const bytes of this.#unanswered?.take() ?? []) this.#waiting.push(bytes);
  }

  noUpstream(reason: 'upstream' | 'error', error: CirqueError): void {
    this.#end(reason, error);
  }

  /** The filter has let the client in. */
  #accepted(): void {
    this.#state = 'fresh';
    this.#host.opened(this);
    try {
      this.#ctx = atOnce('newCtx', this.#host.hooks.newCtx());
    } catch (error) {
      this.#fail(error);
      return;
    }
    if (!this.#port.isOpen) this.ownSocket();
    for (const bytes of this.#waiting.take()) this.#take(bytes);
  }

  /** A datagram of a client that was let in. */
  #take(bytes: Buffer): void {
    if (this.reason !== undefined) return;
    const filtered = this.#filter(bytes, this.#host.hooks.datagramFromClient);
    if (filtered === undefined) {
      if (this.#state === 'fresh') this.#end('filtered');
      return;
    }
    if (this.reason !== undefined) return;
    this.#requests += 1;
    if (this.#state === 'open') {
      this.#toUpstream(filtered);
      return;
    }
    if (!this.#waiting.push(filtered)) this.#host.counters.dropped.queue += 1;
    if (this.#state !== 'fresh') return;
    this.#state = 'choosing';
    this.#leg.choose();
  }

  /** What goes on of a datagram: undefined for nothing. */
  #filter(bytes: Buffer, phase: DatagramFilter<Ctx> | undefined): Buffer | undefined {
    if (phase === undefined) return bytes;
    try {
      const filtered = filterDatagram(phase, this, bytes, this.#ctx as Ctx);
      if (filtered === undefined) this.#host.counters.dropped.filter += 1;
      return filtered;
    } catch (error) {
      this.#fail(error);
      return undefined;
    }
  }

  #toUpstream(bytes: Buffer): void {
    if (!this.#leg.send(bytes)) {
      this.#host.counters.dropped.send += 1;
      return;
    }
    this.countToUpstream(bytes.length);
    const kept = this.#unanswered;
    if (kept !== undefined && (kept.length >= RESENT.datagrams || !kept.push(bytes))) this.#forgetUnanswered();
  }

  #toClient(bytes: Buffer): boolean {
    return this.#own?.isConnected === true ? this.#own.send(bytes) : this.#port.sendTo(bytes, this.client);
  }

  #forgetUnanswered(): void {
    this.#unanswered?.take();
    this.#unanswered = undefined;
  }

  /** The end of the session is told when nothing is awaited any more. */
  settle<T>(
    what: string,
    answer: T | PromiseLike<T>,
    next: (value: T) => void,
    failed: (error: unknown) => void,
  ): void {
    if (!isThenable(answer)) {
      next(answer as T);
      return;
    }
    const { options, wheel } = this.#host;
    this.#awaited = true;
    const goOn = (act: () => void): void => {
      this.#awaited = false;
      if (this.reason !== undefined) {
        this.#tell();
        return;
      }
      try {
        act();
      } catch (error) {
        failed(error);
      }
    };
    awaitPhase(what, answer, options.hookTimeoutMs, wheel, {
      onAnswer: (value) => goOn(() => next(value as T)),
      onError: (error) => goOn(() => failed(error)),
    });
  }

  #fail(thrown: unknown): void {
    this.#end('error', CirqueError.from(thrown, 'InternalError', 'Internal'));
  }

  #end(reason: UdpCloseReason, error?: CirqueError): void {
    if (this.reason !== undefined) return;
    this.#error = error;
    this.noteEnd(reason);
    this.#leg.close();
    this.#dropOwnSocket();
    this.#waiting.take();
    this.#forgetUnanswered();
    this.#host.ended(this);
    if (!this.#awaited) this.#tell();
  }

  /** Nothing more comes of it. */
  #tell(): void {
    if (this.#state !== 'filtering') this.#host.told(this, this.#error, this.#ctx);
  }

  #dropOwnSocket(): void {
    if (this.#own === undefined) return;
    this.#own.close();
    this.#own = undefined;
    this.#host.counters.ownSockets -= 1;
  }
}
