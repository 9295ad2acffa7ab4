/**
 * The listening sockets of one service: taken over where there is something to take over, else bound afresh.
 *
 * Services need not know which: a socket that a predecessor has opened goes on with its queue, without a gap.
 */
import type { Socket } from 'node:dgram';
import { descriptorOf } from '@cirque/sys';
import { formatAddress, type InetAddress, isUnixAddress, parseAddress } from '@cirque/transport';
import { addressOf, bind, probeAddress } from '../listeners/bind.ts';
import type { BoundListener } from '../listeners/bound-listener.ts';
import type { Endpoint } from '../listeners/endpoint.ts';
import type { MovedServer } from '../workers/server-transfer.ts';
import { adoptListener } from './adopt-listener.ts';
import { DatagramHold } from './datagram-hold.ts';
import {
  adoptDatagram,
  bindDatagram,
  checkUdpOptions,
  type OpenDatagram,
  type UdpSocketOptions,
  udpAddress,
} from './datagram-socket.ts';
import { ListenerHold } from './listener-hold.ts';
import { probeUdp } from './probe-udp.ts';
import type { SocketKind, SocketRecord } from './socket-record.ts';
import { closeDescriptor, type SocketTable } from './socket-table.ts';

/** A UDP socket of a service. */
export interface BoundDatagram {
  /** Receives and sends. Do not close it: {@link close} does. */
  readonly socket: Socket;
  /** The real address: port 0 is replaced by the port that the system chose. */
  readonly address: InetAddress;
  /** Stops receiving. */
  close(): void;
}

/** Opens the sockets of one service. */
export class ServiceSockets {
  readonly #service: string;
  readonly #table: SocketTable;
  readonly #signal: AbortSignal;
  readonly #holds: Set<ListenerHold | DatagramHold> = new Set();
  #lender: ServiceSockets | undefined;
  #whenIdle: PromiseWithResolvers<void> | undefined;

  constructor(service: string, table: SocketTable, signal: AbortSignal) {
    this.#service = service;
    this.#table = table;
    this.#signal = signal;
  }

  /**
   * The sockets of one of several services that are one to the outside: they have the same name.
   *
   * @param lender whose sockets it goes on with where both have an address, until {@link independent}.
   */
  forMember(signal: AbortSignal, lender?: ServiceSockets): ServiceSockets {
    const sockets = new ServiceSockets(this.#service, this.#table, signal);
    sockets.#lender = lender;
    return sockets;
  }

  /** What is opened from now on has no lender. */
  independent(): void {
    this.#lender = undefined;
  }

  /** Resolves when nothing is open any more but what others were lent, and everybody knows who must. */
  async idle(): Promise<void> {
    if (this.#isBusy) {
      this.#whenIdle ??= Promise.withResolvers<void>();
      await this.#whenIdle.promise;
    }
    await this.#table.settled();
  }

  /** Resolves when everybody who must knows what is open and what is not. */
  settled(): Promise<void> {
    return this.#table.settled();
  }

  /** Closes what was opened on behalf of another thread, whoever has it by now. */
  release(owner: number): void {
    for (const hold of [...this.#holds]) if (hold instanceof ListenerHold && hold.owner === owner) hold.close();
  }

  /** Closes everything: the service has ended. */
  closeAll(): void {
    for (const hold of [...this.#holds]) hold.close();
  }

  /** True where there is a descriptor to take over for the endpoint. */
  inherits({ kind, address }: Endpoint): boolean {
    const text = formatAddress(address);
    return this.#table.has(kind, text) || this.#lendable(kind, text).length > 0;
  }

  /**
   * Listens on an endpoint: with every descriptor that was taken over for it, which are several when the predecessor
   * had several threads; else with a fresh one. Answers nothing where {@link receive} brings the socket later.
   *
   * @throws CirqueError of type BindError. A descriptor that cannot be used is an error, not a reason to bind afresh:
   * the predecessor goes on serving then.
   */
  async listen(endpoint: Endpoint): Promise<readonly BoundListener[]> {
    const lendable = this.#lendable(endpoint.kind, formatAddress(endpoint.address));
    if (lendable.length > 0) return lendable.flatMap((hold) => this.#borrow(hold) as ListenerHold);
    const records = [...this.#table.take(this.#service, endpoint.kind, formatAddress(endpoint.address))];
    if (records.length === 0 && endpoint.kind === 'tcp' && this.#table.heir === 'receives') return [];
    if (records.length === 0) return [await this.#bind(endpoint)];
    const listeners: BoundListener[] = [];
    try {
      for (let record = records.shift(); record !== undefined; record = records.shift()) {
        listeners.push(await this.#adopt(endpoint, record, undefined));
      }
      return listeners;
    } catch (error) {
      for (const listener of listeners) listener.close();
      for (const { fd } of records) closeDescriptor(fd);
      throw error;
    }
  }

  /**
   * Listens on a further descriptor of an endpoint, while the service runs, on behalf of another thread: the path of a unix
   * socket is left alone when it is given back.
   *
   * @param owner the number of that thread, for {@link release}.
   * @throws CirqueError of type BindError that names the service, the address and the descriptor.
   */
  adopt(endpoint: Endpoint, record: SocketRecord, owner: number): Promise<BoundListener> {
    return this.#adopt(endpoint, record, owner);
  }

  /** A listening TCP socket that another thread has moved here. Connections may come as soon as this turn is over. */
  receive({ server, record }: MovedServer): BoundListener {
    const own = { ...record, service: this.#service, fd: descriptorOf(server) ?? -1 };
    return this.#keep({ server, record: own, address: addressOf(server), close: () => void server.close() });
  }

  /**
   * Opens a UDP socket, for services of your own. It is handed to a successor as listening sockets are. Where several
   * descriptors were taken over for the address, what any of them receives arrives at the one socket.
   *
   * ```ts
   * const { socket, close } = await context.sockets.udp('0.0.0.0:5353');
   * socket.on('message', (message, { port, address }) => {
   *   if (port > 0) socket.send(message, port, address); // senders can be forged, and Node.js throws at port 0
   * });
   * context.shutdown.addEventListener('abort', close);
   * ```
   *
   * @throws TypeError or RangeError for a wrong address or option; CirqueError of type BindError.
   */
  async udp(address: string | InetAddress, options: UdpSocketOptions = {}): Promise<BoundDatagram> {
    const configured = udpAddress(address);
    checkUdpOptions(options);
    const [lendable] = this.#lendable('udp', formatAddress(configured));
    if (lendable !== undefined) return this.#borrow(lendable) as DatagramHold;
    const records = this.#table.take(this.#service, 'udp', formatAddress(configured));
    const [first, ...others] =
      records.length === 0
        ? [await this.#bindUdp(configured, options)]
        : await this.#adoptUdp(configured, options, records);
    if (first === undefined) throw new Error('no UDP socket was opened');
    for (const { socket } of others) forward(socket, first.socket);
    const open = [first, ...others].map((one) => ({ socket: one.socket, forget: this.#table.opened(one) }));
    const close = (): void => {
      for (const { socket, forget } of open.splice(0)) {
        forget();
        socket.close();
      }
    };
    return this.#hold(new DatagramHold({ ...first, close, changed: () => this.#changed() }));
  }

  async #adopt(endpoint: Endpoint, record: SocketRecord, owner: number | undefined): Promise<BoundListener> {
    const own = { ...record, service: this.#service };
    const ownsPath = (): boolean => owner === undefined && this.#table.ownsPath(own, true);
    return this.#keep(await adoptListener(endpoint, own, ownsPath), owner);
  }

  async #bind(endpoint: Endpoint): Promise<BoundListener> {
    const { reusePort, mayGrow } = this.#table;
    const isTcp = endpoint.kind === 'tcp';
    if (isTcp && mayGrow && !endpoint.reusePort) await probeAddress(endpoint, { signal: this.#signal });
    const listener: BoundListener = await bind(endpoint, {
      signal: this.#signal,
      service: this.#service,
      reusePort: isTcp && (reusePort || mayGrow),
      resolved: this.#resolved(endpoint.address),
      takesPath: this.#table.heir !== undefined,
      ownsPath: () => this.#table.ownsPath(listener.record, false),
    });
    return this.#keep(listener);
  }

  async #bindUdp(configured: InetAddress, options: UdpSocketOptions): Promise<OpenDatagram> {
    const isShared = this.#table.reusePort;
    const reusePort = isShared || options.reusePort === true;
    // Threads do not ask: the main thread has done that for all of them.
    if (reusePort && !isShared) await probeUdp(configured, options);
    return bindDatagram(configured, options, {
      service: this.#service,
      reusePort,
      resolved: this.#resolved(configured),
    });
  }

  async #adoptUdp(
    configured: InetAddress,
    options: UdpSocketOptions,
    records: readonly SocketRecord[],
  ): Promise<OpenDatagram[]> {
    const waiting = [...records];
    const opened: OpenDatagram[] = [];
    try {
      for (let record = waiting.shift(); record !== undefined; record = waiting.shift()) {
        opened.push(await adoptDatagram(configured, options, { ...record, service: this.#service }));
      }
      return opened;
    } catch (error) {
      for (const { socket } of opened) socket.close();
      for (const { fd } of waiting) closeDescriptor(fd);
      throw error;
    }
  }

  #resolved(configured: Endpoint['address']): InetAddress | undefined {
    const text = this.#table.resolved[formatAddress(configured)];
    const address = text === undefined ? undefined : parseAddress(text);
    return address === undefined || isUnixAddress(address) ? undefined : address;
  }

  /** Keeps account of a listener until it is closed. */
  #keep(listener: BoundListener, owner?: number): BoundListener {
    const forget = this.#table.opened({ ...listener, isForeign: owner !== undefined });
    const close = (): void => {
      forget();
      listener.close();
    };
    return this.#hold(new ListenerHold({ listener: { ...listener, close }, owner, changed: () => this.#changed() }));
  }

  /** What the lender has open on an address. */
  #lendable(kind: SocketKind, address: string): readonly (ListenerHold | DatagramHold)[] {
    const lender = this.#lender;
    if (lender === undefined) return [];
    return [...lender.#holds].filter(
      ({ record, isLent }) => !isLent && record.kind === kind && record.address === address,
    );
  }

  #borrow(hold: ListenerHold | DatagramHold): ListenerHold | DatagramHold {
    return this.#hold(hold.lend(() => this.#changed()));
  }

  #hold<H extends ListenerHold | DatagramHold>(hold: H): H {
    this.#holds.add(hold);
    return hold;
  }

  get #isBusy(): boolean {
    return [...this.#holds].some(({ isLent }) => !isLent);
  }

  #changed(): void {
    for (const hold of [...this.#holds]) if (!hold.isOpen) this.#holds.delete(hold);
    if (!this.#isBusy) this.#whenIdle?.resolve();
  }
}

/** What `from` receives arrives at `to`; both have the same address, so that answers may come from either. */
function forward(from: Socket, to: Socket): void {
  from.on('message', (message, sender) => to.emit('message', message, sender));
  from.on('error', (error) => to.emit('error', error));
}
