/**
 * One UDP session at work: asks its phases, opens the socket to its upstream, passes datagrams on, ends once.
 *
 * All that waits is bounded: datagrams by their queue, phases by `hookTimeoutMs`, the session by its idle time. What comes after
 * its end is ignored. A client is never told of a failure: nothing leaves towards it that did not come from the upstream.
 */
import type { RemoteInfo } from 'node:dgram';
import { CirqueError, fromNodeError } from '@cirque/error';
import { formatAddress, type InetAddress } from '@cirque/transport';
import { awaitPhase } from '../pending-phase.ts';
import { isThenable } from '../phase-hooks.ts';
import type { UdpCloseReason, UdpSession } from '../udp-session.ts';
import type { ClientPort } from './client-port.ts';
import { ClientSocket, type ClientSocketOwner } from './client-socket.ts';
import { ConnectedSocket, type ConnectedSocketHandler } from './connected-socket.ts';
import { DatagramQueue } from './datagram-queue.ts';
import { FlowFacts } from './flow-facts.ts';
import type { FlowHost } from './flow-host.ts';
import type { IdleNode } from './idle-list.ts';
import { type DatagramFilter, filterDatagram } from './udp-hooks.ts';

/** What is sent again to another upstream. */
const RESENT = { datagrams: 16, bytes: 16_384 + 16 * 64 } as const;

/** The system has no more of something: others have it. */
const EXHAUSTED: readonly (string | undefined)[] = ['EADDRINUSE', 'EADDRNOTAVAIL', 'EAGAIN', 'EMFILE', 'ENFILE'];

/** The fault of one datagram, or of the moment; the upstream is there. */
const OF_ONE_DATAGRAM: readonly (string | undefined)[] = ['EMSGSIZE', 'ENOBUFS', 'ENOMEM', 'EAGAIN', 'EPERM', 'EINVAL'];

/** See the file's head. */
export class Flow<Ctx>
  extends FlowFacts
  implements UdpSession, IdleNode<Flow<Ctx>>, ConnectedSocketHandler, ClientSocketOwner
{
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
  #socket: ConnectedSocket | undefined;
  #isConnected = false;
  /** Where the socket is connected to. */
  #address = '';
  #hasMadeRoom = false;
  /** A phase is under way. */
  #awaited = false;
  #error: CirqueError | undefined;
  #own: ClientSocket | undefined;

  constructor(host: FlowHost<Ctx>, port: ClientPort, client: RemoteInfo) {
    super(client, port.address, host.counters, host.clock);
    const { options, hooks, budget } = host;
    this.#host = host;
    this.#port = port;
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
      this.#settle(
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
    if (this.datagramsFromClient === 2 && options.responses === 0) this.ownSocket();
  }

  /** Gives the session a socket of its own towards its client, where that is possible. */
  ownSocket(): void {
    if (this.#own !== undefined || this.reason !== undefined || !this.#host.mayOwnSocket()) return;
    this.#own = new ClientSocket(this.#port, this.client, this);
    this.#host.counters.ownSockets += 1;
    this.#own.open();
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

  onConnected(): void {
    this.#isConnected = true;
    this.#state = 'open';
    for (const bytes of this.#waiting.take()) this.#toUpstream(bytes);
  }

  onDatagram(bytes: Buffer): void {
    const { hooks, options, counters } = this.#host;
    this.countFromUpstream(bytes.length);
    this.#host.touched(this);
    this.#forgetUnanswered();
    const filtered = this.#filter(bytes, hooks.datagramFromUpstream);
    if (filtered !== undefined && this.#toClient(filtered)) this.countToClient(filtered.length);
    else if (filtered !== undefined) counters.dropped.send += 1;
    if (options.responses > 0 && this.datagramsFromUpstream >= options.responses * this.#requests)
      this.#end('answered');
  }

  onSocketError(cause: NodeJS.ErrnoException): void {
    if (this.#isConnected && OF_ONE_DATAGRAM.includes(cause.code)) {
      this.#host.counters.dropped.send += 1;
      return;
    }
    this.#dropUpstream();
    if (!this.#hasMadeRoom && EXHAUSTED.includes(cause.code) && this.#host.makeRoom(this)) {
      this.#hasMadeRoom = true;
      this.#open(this.#address);
      return;
    }
    const { host, port } = this.upstream as InetAddress;
    const error = fromNodeError(cause, 'connect', 'Upstream', `sending to ${formatAddress({ host, port })}`);
    this.#upstreamFailed(error);
  }

  /** The filter has let the client in. */
  #accepted(): void {
    this.#state = 'fresh';
    this.#host.opened(this);
    try {
      this.#ctx = this.#host.hooks.newCtx();
    } catch (error) {
      this.#fail(error);
      return;
    }
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
    if (this.#state === 'fresh') this.#choose();
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

  #choose(): void {
    this.#state = 'choosing';
    this.attempts += 1;
    if (this.attempts > 1) this.#host.counters.retries += 1;
    const failed = (error: unknown): void => this.#chooseFailed(CirqueError.from(error, 'InternalError', 'Internal'));
    try {
      const answer = this.#host.hooks.upstreamPeer(this, this.#ctx as Ctx);
      this.#settle('upstreamPeer', answer, (peer) => this.#resolve(peer), failed);
    } catch (error) {
      failed(error);
    }
  }

  #resolve(peer: InetAddress): void {
    if (typeof peer?.host !== 'string' || !Number.isInteger(peer.port)) {
      throw CirqueError.internal('InternalError', 'upstreamPeer answered no address: expected one with host and port');
    }
    this.upstream = peer;
    const open = (addresses: readonly string[]): void =>
      this.#open(addresses[(this.attempts - 1) % addresses.length] as string);
    const failed = (error: unknown): void =>
      this.#upstreamFailed(CirqueError.from(error, 'ConnectNoRoute', 'Upstream'));
    this.#settle('a name', this.#host.resolver.resolve(peer.host), open, failed);
  }

  #open(address: string): void {
    const { port } = this.upstream as InetAddress;
    this.#address = address;
    this.#socket = new ConnectedSocket({ host: address, port }, this, this.#host.sourceFor(address));
    this.#socket.open();
  }

  #chooseFailed(error: CirqueError): void {
    if (error.retry === true && this.attempts <= this.#host.options.maxRetries) this.#choose();
    else this.#end('error', error);
  }

  #upstreamFailed(failure: CirqueError): void {
    const { hooks, options } = this.#host;
    let error = failure;
    try {
      error = hooks.failToSend?.(this, this.#ctx as Ctx, failure) ?? failure;
    } catch (thrown) {
      this.#fail(thrown);
      return;
    }
    if (this.reason !== undefined) return;
    if (error.retry !== true || this.attempts > options.maxRetries) {
      this.#end('upstream', error);
      return;
    }
    for (const bytes of this.#unanswered?.take() ?? []) this.#waiting.push(bytes);
    this.#choose();
  }

  #toUpstream(bytes: Buffer): void {
    if (this.#socket?.send(bytes) !== true) {
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

  /** Goes on with the answer of a phase or of the resolver; the end of the session is told when nothing is awaited. */
  #settle<T>(
    what: 'sessionFilter' | 'upstreamPeer' | 'a name',
    answer: T | PromiseLike<T>,
    next: (value: T) => void,
    failed: (error: unknown) => void,
  ): void {
    if (!isThenable(answer)) {
      next(answer as T);
      return;
    }
    const { options, wheel } = this.#host;
    const timeoutMs = what === 'a name' ? 0 : options.hookTimeoutMs;
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
    awaitPhase(what, answer, timeoutMs, wheel, {
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
    this.#dropUpstream();
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

  #dropUpstream(): void {
    this.#socket?.close();
    this.#socket = undefined;
    this.#isConnected = false;
  }

  #dropOwnSocket(): void {
    if (this.#own === undefined) return;
    this.#own.close();
    this.#own = undefined;
    this.#host.counters.ownSockets -= 1;
  }
}
