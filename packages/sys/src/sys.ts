/**
 * What the native calls offer, whichever library makes them. The contract; loading is load-sys.ts.
 *
 * Every function throws a SysError with the system's code where the system call fails, and a TypeError for a number that
 * cannot be a descriptor. None of them waits.
 */

/** The library that makes the calls. */
export type SysBackend = 'node:ffi' | 'koffi';

/** Socket options with a number for a value, by their names in C. */
export type SocketOption =
  | 'SO_TYPE'
  | 'SO_ACCEPTCONN'
  | 'SO_REUSEPORT'
  | 'SO_SNDBUF'
  | 'SO_RCVBUF'
  | 'SO_KEEPALIVE'
  | 'TCP_KEEPIDLE'
  | 'TCP_KEEPINTVL'
  | 'TCP_KEEPCNT'
  | 'TCP_USER_TIMEOUT'
  | 'TCP_FASTOPEN'
  | 'TCP_FASTOPEN_CONNECT'
  | 'IP_TOS'
  | 'IPV6_TCLASS'
  | 'IP_BIND_ADDRESS_NO_PORT';

/** Who is at the other end of a unix socket, as it was when the connection was made. */
export interface PeerCredentials {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

/** One message of a unix socket, with the descriptors that came with it: they are open and belong to the caller. */
export interface ReceivedDescriptors {
  /** Empty, without descriptors: the other side has closed. */
  readonly bytes: Buffer;
  readonly descriptors: readonly number[];
}

/** What the system knows of a TCP connection (TCP_INFO). */
export interface TcpInfo {
  /** Smoothed round-trip time, in microseconds. */
  readonly rttMicros: number;
  readonly rttVarianceMicros: number;
  /** Segments sent again since the connection was made. */
  readonly totalRetransmits: number;
  readonly congestionWindow: number;
  readonly sendMss: number;
}

/** The native calls. */
export interface Sys {
  readonly backend: SysBackend;
  /** A second number for the same open file, closed on exec. */
  dup(descriptor: number): number;
  /** Makes the number `target` mean what `descriptor` means; what `target` was before is closed. Not closed on exec. */
  dup2(descriptor: number, target: number): void;
  close(descriptor: number): void;
  /**
   * Sends bytes with up to 253 descriptors on a unix stream socket, without waiting.
   * Node.js must not read the other end, for it drops descriptors: `pauseOnConnect`, or `pause()` before connecting.
   * @returns how many bytes were taken; the descriptors go with the first one, and are still open here.
   * @throws SysError with code EAGAIN when nothing was taken, EPIPE when the other side has closed, EINVAL for more than 253.
   */
  sendDescriptors(socket: number, bytes: Uint8Array, descriptors: readonly number[]): number;
  /**
   * Receives what one call gives, without waiting. Descriptors are closed on exec. Undefined: nothing is there yet.
   * @throws SysError with code EMSGSIZE when descriptors were cut off, as they are at the limit of open files; those received
   * are closed.
   */
  receiveDescriptors(socket: number, maxBytes: number): ReceivedDescriptors | undefined;
  /** @throws SysError with code ENOTCONN for sockets that have none. */
  peerCredentials(socket: number): PeerCredentials;
  /**
   * Sends one datagram to a unix socket, without waiting; a path that begins with `@` is in the abstract namespace.
   * @throws SysError with code EAGAIN when the receiver's queue is full: try again later.
   */
  sendDatagram(path: string, bytes: Uint8Array): void;
  getSocketOption(descriptor: number, option: SocketOption): number;
  /** @throws SysError with code ENOPROTOOPT for an option that this system has not. */
  setSocketOption(descriptor: number, option: SocketOption, value: number): void;
  tcpInfo(descriptor: number): TcpInfo;
  /** A TCP socket that is not connected yet: non-blocking, closed on exec. Give it to `new net.Socket({ fd })`. */
  createTcpSocket(family: 4 | 6): number;
}
