/**
 * The socket of one client: bound to the address that the service receives on, and connected to the client.
 *
 * Several threads, or an old and a new process, receive on one address. The system chooses between them by the client's
 * address, which is as good as a table for as long as nobody joins or leaves, and no longer; two processes that share a socket
 * get what they read first. A connected socket goes before all others: what its client sends comes here until it is closed.
 *
 * Between bind and connect, some microseconds, it is one of those that receive from everybody: what it gets then goes where all
 * datagrams come in. In the worst case that is another thread than the one that has this client already.
 *
 * Cost: one more descriptor for each session, and about 15 µs to open. Before Linux 6.13 the system looks through all sockets
 * of an address for each datagram, which thousands of them make slow: `sessionSockets: 'never'` there.
 */
import type { RemoteInfo } from 'node:dgram';
import type { ClientPort } from './client-port.ts';
import { ConnectedSocket } from './connected-socket.ts';

/** Whom it tells. */
export interface ClientSocketOwner {
  fromClient(bytes: Buffer): void;
  /** The system says that nobody receives there any more. */
  clientGone(): void;
  /** There will be no such socket. */
  clientSocketFailed(error: NodeJS.ErrnoException): void;
}

/** See the file's head. */
export class ClientSocket {
  readonly #port: ClientPort;
  readonly #client: RemoteInfo;
  readonly #owner: ClientSocketOwner;
  readonly #socket: ConnectedSocket;
  #isConnected = false;
  #isClosing = false;

  constructor(port: ClientPort, client: RemoteInfo, owner: ClientSocketOwner) {
    this.#port = port;
    this.#client = client;
    this.#owner = owner;
    const local = { ...port.address, reusePort: true, ipv6Only: port.ipv6Only };
    this.#socket = new ConnectedSocket({ host: client.address, port: client.port }, this, local);
  }

  open(): void {
    this.#socket.open();
  }

  /** It can send. */
  get isConnected(): boolean {
    return this.#isConnected;
  }

  /** False: the datagram was dropped. */
  send(bytes: Buffer): boolean {
    return this.#socket.send(bytes);
  }

  /** Closes it, once what it has received already was read, which is somebody else's now. */
  close(): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    // The first immediate may still belong to a turn of the loop that began before the socket was opened.
    setImmediate(() => setImmediate(() => this.#socket.close()));
  }

  onConnected(): void {
    this.#isConnected = true;
  }

  /** Those of others came before it was connected; they belong where all of them come in. */
  onDatagram(bytes: Buffer, sender: RemoteInfo): void {
    const { address, port } = this.#client;
    if (!this.#isClosing && sender.port === port && sender.address === address) this.#owner.fromClient(bytes);
    else this.#port.dispatch(bytes, sender);
  }

  onSocketError(error: NodeJS.ErrnoException): void {
    if (this.#isClosing) return;
    if (!this.#isConnected) this.#owner.clientSocketFailed(error);
    else if (error.code === 'ECONNREFUSED') this.#owner.clientGone();
    else this.#port.notSent();
  }
}
