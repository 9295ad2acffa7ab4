/**
 * UDP sockets: bound afresh, or made of descriptors that were opened elsewhere.
 */
import { createSocket, type Socket, type SocketOptions } from 'node:dgram';
import { type LookupOneOptions, lookup } from 'node:dns';
import { isIP, isIPv6 } from 'node:net';
import { descriptorOf } from '@cirque/sys';
import { formatAddress, type InetAddress, isUnixAddress, parseAddress } from '@cirque/transport';
import { bindError } from '../listeners/bind-error.ts';
import { checkOptionNames } from '../listeners/option-names.ts';
import { adoptionError } from './adopt-listener.ts';
import { type SocketRecord, socketRecord } from './socket-record.ts';

/** Options of a UDP socket. */
export interface UdpSocketOptions {
  /** For `[::]`: do not receive from IPv4 as well. Default false. */
  readonly ipv6Only?: boolean;
  /**
   * Further sockets of the same user may be bound to the address (SO_REUSEPORT), as those of single clients are: the system
   * gives a datagram to the one that is connected to its sender. An address on which somebody receives already is refused
   * all the same. Default false; the threads of a service do not need it.
   */
  readonly reusePort?: boolean;
  /** Size of the system's receive buffer, in bytes. Default: the system's. */
  readonly receiveBufferBytes?: number;
  /** Size of the system's send buffer, in bytes. Default: the system's. */
  readonly sendBufferBytes?: number;
}

/** One UDP socket that is open, with what a successor must know of it. */
export interface OpenDatagram {
  readonly socket: Socket;
  readonly address: InetAddress;
  readonly record: SocketRecord;
}

/** @throws TypeError or RangeError naming the option, its value and what would be right. */
export function checkUdpOptions(options: UdpSocketOptions): void {
  checkOptionNames('udp()', options, ['ipv6Only', 'reusePort', 'receiveBufferBytes', 'sendBufferBytes']);
  const { ipv6Only = false, reusePort = false, receiveBufferBytes = 1, sendBufferBytes = 1 } = options;
  for (const [name, value] of Object.entries({ ipv6Only, reusePort })) {
    if (typeof value !== 'boolean') throw new TypeError(`${name} must be true or false, got ${String(value)}`);
  }
  for (const [name, bytes] of Object.entries({ receiveBufferBytes, sendBufferBytes })) {
    if (Number.isInteger(bytes) && bytes >= 1 && bytes <= 0x3fffffff) continue;
    throw new RangeError(`${name} must be a whole number of bytes from 1 to ${0x3fffffff}, got ${String(bytes)}`);
  }
}

/** Where and how a fresh UDP socket is bound. */
export interface DatagramPlace {
  readonly service: string;
  readonly reusePort: boolean;
  /** The address that port 0 stands for, where another thread was given one already. */
  readonly resolved: InetAddress | undefined;
}

/** The IP address and port of a UDP address. @throws TypeError for a unix path and for what is no address. */
export function udpAddress(address: string | InetAddress): InetAddress {
  const parsed = parseAddress(typeof address === 'string' ? address : formatAddress(address));
  if (!isUnixAddress(parsed)) return parsed;
  throw new TypeError(`a UDP address needs 'host:port', got ${JSON.stringify(address)}`);
}

/** @throws CirqueError of type BindError that names the address and a remedy. */
export async function bindDatagram(
  configured: InetAddress,
  options: UdpSocketOptions,
  { service, reusePort, resolved = configured }: DatagramPlace,
): Promise<OpenDatagram> {
  const socket = createSocket(socketOptions(configured, options, reusePort));
  try {
    await bound(socket, () => socket.bind({ address: resolved.host, port: resolved.port, exclusive: true }));
  } catch (error) {
    socket.close();
    throw bindError(error, { address: configured }, { reusePort });
  }
  const address = addressOf(socket);
  const record = socketRecord(service, 'udp', { configured, bound: address }, descriptorOf(socket) ?? -1);
  return { socket, address, record };
}

/**
 * Receives on the descriptor of `record`.
 *
 * @throws CirqueError of type BindError that names the service, the address and the descriptor.
 */
export async function adoptDatagram(
  configured: InetAddress,
  options: UdpSocketOptions,
  record: SocketRecord,
): Promise<OpenDatagram> {
  const socket = createSocket(socketOptions(configured, options, false));
  try {
    await bound(socket, () => socket.bind({ fd: record.fd, exclusive: true }));
    const address = addressOf(socket);
    return { socket, address, record };
  } catch (error) {
    socket.close();
    throw adoptionError(record, error);
  }
}

function socketOptions({ host }: InetAddress, options: UdpSocketOptions, reusePort: boolean): SocketOptions {
  const { ipv6Only = false, receiveBufferBytes, sendBufferBytes } = options;
  return {
    type: isIPv6(host) ? 'udp6' : 'udp4',
    reuseAddr: false,
    reusePort,
    ipv6Only,
    lookup: lookupUnlessLiteral,
    ...(receiveBufferBytes === undefined ? {} : { recvBufferSize: receiveBufferBytes }),
    ...(sendBufferBytes === undefined ? {} : { sendBufferSize: sendBufferBytes }),
  };
}

/** An IP address is its own answer, at once: so is every datagram that is sent to one. */
function lookupUnlessLiteral(
  host: string,
  options: LookupOneOptions,
  done: (error: NodeJS.ErrnoException | null, address: string, family: number) => void,
): void {
  const family = isIP(host);
  if (family === 0) lookup(host, options, done);
  else done(null, host, family);
}

function bound(socket: Socket, bind: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.once('listening', () => {
      socket.off('error', reject);
      resolve();
    });
    bind();
  });
}

function addressOf(socket: Socket): InetAddress {
  const { address: host, port } = socket.address();
  return { host, port };
}
