/**
 * Linux on x64 and arm64, with glibc or musl: numbers of asm-generic, structures of the 64-bit kernel.
 */
import type { NativeCalls } from './native-calls.ts';
import type { Platform } from './platform.ts';
import { readOption } from './socket-option.ts';
import type { PeerCredentials, TcpInfo } from './sys.ts';
import { SysError } from './sys-error.ts';
import { systemCall } from './system-call.ts';

const F_DUPFD_CLOEXEC = 1030;
const AF = { unix: 1, 4: 2, 6: 10 } as const;
const SOCK = { stream: 1, datagram: 2 } as const;
const SOCK_NONBLOCK = 0x800;
const SOCK_CLOEXEC = 0x80000;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const MSG_CMSG_CLOEXEC = 0x40000000;
const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
const IPPROTO_IP = 0;
const IPPROTO_TCP = 6;
const IPPROTO_IPV6 = 41;
const TCP_INFO = 11;
const NOBODY = 0xffffffff;

export const linux: Platform = {
  errnoFunction: '__errno_location',
  message: { flagsAt: 48, controlLevelAt: 8, controlAlignment: 8, SOL_SOCKET, MSG_CTRUNC: 0x8 },
  sendFlags: MSG_DONTWAIT | MSG_NOSIGNAL,
  receiveFlags: MSG_DONTWAIT | MSG_CMSG_CLOEXEC,
  options: {
    SO_TYPE: [SOL_SOCKET, 3],
    SO_ACCEPTCONN: [SOL_SOCKET, 30],
    SO_REUSEPORT: [SOL_SOCKET, 15],
    SO_SNDBUF: [SOL_SOCKET, 7],
    SO_RCVBUF: [SOL_SOCKET, 8],
    SO_KEEPALIVE: [SOL_SOCKET, 9],
    TCP_KEEPIDLE: [IPPROTO_TCP, 4],
    TCP_KEEPINTVL: [IPPROTO_TCP, 5],
    TCP_KEEPCNT: [IPPROTO_TCP, 6],
    TCP_USER_TIMEOUT: [IPPROTO_TCP, 18],
    TCP_FASTOPEN: [IPPROTO_TCP, 23],
    TCP_FASTOPEN_CONNECT: [IPPROTO_TCP, 30],
    IP_TOS: [IPPROTO_IP, 1],
    IPV6_TCLASS: [IPPROTO_IPV6, 67],
    IP_BIND_ADDRESS_NO_PORT: [IPPROTO_IP, 24],
  },
  duplicate: (calls, descriptor) => systemCall(calls, 'fcntl', () => calls.fcntl(descriptor, F_DUPFD_CLOEXEC, 0)),
  adopt() {
    // MSG_CMSG_CLOEXEC has done it.
  },
  openSocket: (calls, family, type) =>
    systemCall(calls, 'socket', () => calls.socket(AF[family], SOCK[type] | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)),
  unixAddress(path) {
    const abstract = path[0] === 0; // its name ends with the address, a path with a NUL byte
    const address = Buffer.alloc(2 + path.length + (abstract ? 0 : 1));
    address.writeUInt16LE(AF.unix);
    path.copy(address, 2);
    return address;
  },
  peerCredentials,
  tcpInfo,
};

/** `struct ucred`. Sockets of other families say nobody, instead of failing. */
function peerCredentials(calls: NativeCalls, socket: number): PeerCredentials {
  const value = readOption(calls, socket, SOL_SOCKET, SO_PEERCRED, 12);
  const uid = value.readUInt32LE(4);
  if (uid === NOBODY) throw new SysError('getsockopt', 'ENOTCONN', 'only a connected unix socket has peer credentials');
  return { pid: value.readInt32LE(0), uid, gid: value.readUInt32LE(8) };
}

/** `struct tcp_info`, the part that every kernel has. */
function tcpInfo(calls: NativeCalls, socket: number): TcpInfo {
  const value = readOption(calls, socket, IPPROTO_TCP, TCP_INFO, 104);
  return {
    sendMss: value.readUInt32LE(16),
    rttMicros: value.readUInt32LE(68),
    rttVarianceMicros: value.readUInt32LE(72),
    congestionWindow: value.readUInt32LE(80),
    totalRetransmits: value.readUInt32LE(100),
  };
}
