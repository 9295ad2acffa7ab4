/**
 * One address of a UDP service: what comes in there goes to the session of its client.
 */
import type { RemoteInfo } from 'node:dgram';
import type { BoundDatagram } from '@cirque/core';
import type { InetAddress } from '@cirque/transport';
import type { ClientPort } from './client-port.ts';
import { ClientTable } from './client-table.ts';
import { DatagramSender } from './datagram-sender.ts';
import type { Flow } from './flow.ts';
import type { Flows } from './flows.ts';

/** See the file's head. */
export class UdpListener<Ctx> implements ClientPort {
  readonly address: InetAddress;
  readonly ipv6Only: boolean;
  readonly #flows: Flows<Ctx>;
  readonly #bound: BoundDatagram;
  readonly #sender: DatagramSender;
  readonly #clients: ClientTable<Flow<Ctx>> = new ClientTable();
  #isOpen = true;

  constructor(bound: BoundDatagram, ipv6Only: boolean, flows: Flows<Ctx>) {
    this.address = bound.address;
    this.ipv6Only = ipv6Only;
    this.#flows = flows;
    this.#bound = bound;
    this.#sender = new DatagramSender(bound.socket, () => this.notSent());
    bound.socket.on('message', (bytes, client) => this.dispatch(bytes, client));
    // Of a socket without partner: the system has no memory, say. It goes on.
    bound.socket.on('error', () => this.notSent());
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  dispatch(bytes: Buffer, client: RemoteInfo): void {
    const known = this.#clients.get(client.address, client.port);
    if (known !== undefined) {
      known.fromClient(bytes);
      return;
    }
    // Whoever forges senders can write that, and Node.js throws when it is asked to send there.
    if (client.port === 0) {
      this.#flows.refuse('noPort');
      return;
    }
    // Also when it is closed: the sockets of single clients get datagrams of others before they are connected.
    const flow = this.#flows.newFlow(this, client);
    if (flow === undefined) return;
    this.#clients.add(client.address, client.port, flow);
    this.#flows.begin(flow, bytes);
  }

  sendTo(bytes: Buffer, { port, address }: RemoteInfo): boolean {
    return this.#isOpen && this.#sender.sendTo(bytes, port, address);
  }

  notSent(): void {
    this.#flows.counters.dropped.send += 1;
  }

  /** The session of this client is over. */
  forget({ port, address }: RemoteInfo): void {
    this.#clients.remove(address, port);
  }

  /** Stops receiving; sessions with sockets of their own go on. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#bound.close();
  }
}
