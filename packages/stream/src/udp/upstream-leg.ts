/**
 * The way of one session to its upstream: chosen by its phase, resolved, connected; and another one where that fails.
 */
import { CirqueError, fromNodeError } from '@cirque/error';
import { type Address, formatAddress, type InetAddress } from '@cirque/transport';
import { judgement } from '../phase-hooks.ts';
import type { UdpSession } from '../udp-session.ts';
import { ConnectedSocket, type ConnectedSocketHandler } from './connected-socket.ts';
import type { Flow } from './flow.ts';
import type { FlowHost } from './flow-host.ts';

/** The system has no more of something: others have it. */
const EXHAUSTED: readonly (string | undefined)[] = ['EADDRINUSE', 'EADDRNOTAVAIL', 'EAGAIN', 'EMFILE', 'ENFILE'];

/** The fault of one datagram, or of the moment; the upstream is there. */
const OF_ONE_DATAGRAM: readonly (string | undefined)[] = ['EMSGSIZE', 'ENOBUFS', 'ENOMEM', 'EAGAIN', 'EPERM', 'EINVAL'];

/** What it needs of its session. */
export interface LegOwner<Ctx> extends UdpSession {
  attempts: number;
  upstream: InetAddress | undefined;
  readonly ctx: Ctx;
  /** Goes on with an answer when it is there, unless the session is over by then. */
  settle<T>(what: string, answer: T | PromiseLike<T>, next: (value: T) => void, failed: (error: unknown) => void): void;
  /** It can send. */
  upstreamReady(): void;
  fromUpstream(bytes: Buffer): void;
  /** Another upstream is going to be asked: what was not answered is to be sent again. */
  upstreamLost(): void;
  /** There will be none. */
  noUpstream(reason: 'upstream' | 'error', error: CirqueError): void;
}

/** See the file's head. */
export class UpstreamLeg<Ctx> implements ConnectedSocketHandler {
  readonly #host: FlowHost<Ctx>;
  readonly #owner: LegOwner<Ctx> & Flow<Ctx>;
  #socket: ConnectedSocket | undefined;
  #isConnected = false;
  /** Where the socket is connected to. */
  #address = '';
  #hasMadeRoom = false;

  constructor(host: FlowHost<Ctx>, owner: LegOwner<Ctx> & Flow<Ctx>) {
    this.#host = host;
    this.#owner = owner;
  }

  /** Asks `upstreamPeer`. */
  choose(): void {
    const owner = this.#owner;
    owner.attempts += 1;
    if (owner.attempts > 1) this.#host.counters.retries += 1;
    const failed = (error: unknown): void => this.#chooseFailed(CirqueError.from(error, 'InternalError', 'Internal'));
    try {
      const answer = this.#host.hooks.upstreamPeer(owner, owner.ctx);
      owner.settle('upstreamPeer', answer, (peer) => this.#resolve(peer), failed);
    } catch (error) {
      failed(error);
    }
  }

  /** False: the datagram was dropped. */
  send(bytes: Buffer): boolean {
    return this.#isConnected && this.#socket?.send(bytes) === true;
  }

  close(): void {
    this.#socket?.close();
    this.#socket = undefined;
    this.#isConnected = false;
  }

  onConnected(): void {
    this.#isConnected = true;
    this.#owner.upstreamReady();
  }

  onDatagram(bytes: Buffer): void {
    this.#owner.fromUpstream(bytes);
  }

  onSocketError(cause: NodeJS.ErrnoException): void {
    if (this.#isConnected && OF_ONE_DATAGRAM.includes(cause.code)) {
      this.#host.counters.dropped.send += 1;
      return;
    }
    this.close();
    if (!this.#hasMadeRoom && EXHAUSTED.includes(cause.code) && this.#host.makeRoom(this.#owner)) {
      this.#hasMadeRoom = true;
      this.#open(this.#address);
      return;
    }
    const to = formatAddress(this.#owner.upstream as InetAddress);
    this.#failed(fromNodeError(cause, 'connect', 'Upstream', `sending to ${to}`));
  }

  #resolve(peer: Address): void {
    const owner = this.#owner;
    owner.upstream = inetAddress(peer);
    const open = (addresses: readonly string[]): void =>
      this.#open(addresses[(owner.attempts - 1) % addresses.length] as string);
    const failed = (error: unknown): void => this.#failed(CirqueError.from(error, 'ConnectNoRoute', 'Upstream'));
    owner.settle('the name of the upstream', this.#host.resolver.resolve(owner.upstream.host), open, failed);
  }

  #open(address: string): void {
    const { reason, upstream } = this.#owner;
    if (reason !== undefined || upstream === undefined) return;
    this.#address = address;
    this.#socket = new ConnectedSocket({ host: address, port: upstream.port }, this, this.#host.sourceFor(address));
    this.#socket.open();
  }

  #chooseFailed(error: CirqueError): void {
    const { attempts, reason } = this.#owner;
    if (reason !== undefined) return;
    if (error.retry === true && attempts <= this.#host.options.maxRetries) this.choose();
    else this.#owner.noUpstream('error', error);
  }

  /** The upstream that was chosen cannot be reached. */
  #failed(failure: CirqueError): void {
    const owner = this.#owner;
    const { hooks, options } = this.#host;
    let error = failure;
    try {
      error = judgement('failToSend', hooks.failToSend?.(owner, owner.ctx, failure)) ?? failure;
    } catch (thrown) {
      owner.noUpstream('error', CirqueError.from(thrown, 'InternalError', 'Internal'));
      return;
    }
    if (owner.reason !== undefined) return;
    if (error.retry !== true || owner.attempts > options.maxRetries) {
      owner.noUpstream('upstream', error);
      return;
    }
    owner.upstreamLost();
    this.choose();
  }
}

/** A copy of what the phase has answered. */
function inetAddress(answer: Address | undefined): InetAddress {
  const { host, port } = (answer ?? {}) as Partial<InetAddress>;
  if (typeof host === 'string' && Number.isInteger(port)) return { host, port: port as number };
  throw CirqueError.internal('InternalError', 'upstreamPeer answered no address: expected one with host and port');
}
