/**
 * What differs between operating systems: numbers, the layout of structures, and the calls that only some have. All are
 * little-endian with 64-bit addresses.
 */
import { darwin } from './darwin.ts';
import { linux } from './linux.ts';
import type { NativeCalls } from './native-calls.ts';
import type { PeerCredentials, SocketOption, TcpInfo } from './sys.ts';

/** Where the fields of `struct msghdr` and `struct cmsghdr` are that are not in the same place everywhere. */
export interface MessageLayout {
  /** `msg_flags` */
  readonly flagsAt: number;
  /** `cmsg_level`; `cmsg_type` follows it, and the data that. */
  readonly controlLevelAt: number;
  /** What control messages and their data are aligned to. */
  readonly controlAlignment: number;
  readonly SOL_SOCKET: number;
  readonly MSG_CTRUNC: number;
}

/** An operating system. */
export interface Platform {
  /** The function of the C library that gives the address of this thread's error number. */
  readonly errnoFunction: string;
  readonly message: MessageLayout;
  readonly sendFlags: number;
  readonly receiveFlags: number;
  /** Level and name of each socket option that there is. */
  readonly options: Partial<Readonly<Record<SocketOption, readonly [level: number, name: number]>>>;
  /** A second descriptor, closed on exec. */
  duplicate(calls: NativeCalls, descriptor: number): number;
  /** A descriptor that has just been received: closed on exec from now on. */
  adopt(calls: NativeCalls, descriptor: number): void;
  /** A new socket, closed on exec; non-blocking where the system can do both in one call. */
  openSocket(calls: NativeCalls, family: 'unix' | 4 | 6, type: 'stream' | 'datagram'): number;
  /** `struct sockaddr_un` of a path; one that begins with a NUL byte is in the abstract namespace. */
  unixAddress(path: Buffer): Buffer;
  peerCredentials(calls: NativeCalls, socket: number): PeerCredentials;
  tcpInfo(calls: NativeCalls, socket: number): TcpInfo;
}

/** The system of this process; undefined where nobody has written down how it looks. */
export function currentPlatform(system: string = process.platform, cpu: string = process.arch): Platform | undefined {
  if (cpu !== 'x64' && cpu !== 'arm64') return undefined;
  if (system === 'linux') return linux;
  return system === 'darwin' ? darwin : undefined;
}
