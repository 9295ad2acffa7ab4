/**
 * macOS on x64 and arm64, after the headers of its kernel. Nobody has run it yet. Its sockets cannot be made or received
 * closed on exec, so there is a moment in which a child process started by another thread may inherit them.
 */
import type { NativeCalls } from './native-calls.ts';
import type { Platform } from './platform.ts';
import { readOption } from './socket-option.ts';
import type { PeerCredentials, TcpInfo } from './sys.ts';
import { SysError } from './sys-error.ts';
import { systemCall } from './system-call.ts';

const AF = { unix: 1, 4: 2, 6: 30 } as const;
const SOCK = { stream: 1, datagram: 2 } as const;
const FIOCLEX = 0x20006601;
const MSG_DONTWAIT = 0x80;
const SOL_SOCKET = 0xffff;
const SOL_LOCAL = 0;
const LOCAL_PEERCRED = 1;
const LOCAL_PEERPID = 2;
const IPPROTO_IP = 0;
const IPPROTO_TCP = 6;
const IPPROTO_IPV6 = 41;
const TCP_CONNECTION_INFO = 0x106;

export const darwin: Platform = {
  errnoFunction: '__error',
  message: { flagsAt: 44, controlLevelAt: 4, controlAlignment: 4, SOL_SOCKET, MSG_CTRUNC: 0x20 },
  sendFlags: MSG_DONTWAIT, // Node.js ignores SIGPIPE
  receiveFlags: MSG_DONTWAIT,
  options: {
    SO_TYPE: [SOL_SOCKET, 0x1008],
    SO_ACCEPTCONN: [SOL_SOCKET, 0x2],
    SO_REUSEPORT: [SOL_SOCKET, 0x200],
    SO_SNDBUF: [SOL_SOCKET, 0x1001],
    SO_RCVBUF: [SOL_SOCKET, 0x1002],
    SO_KEEPALIVE: [SOL_SOCKET, 0x8],
    TCP_KEEPIDLE: [IPPROTO_TCP, 0x10],
    TCP_KEEPINTVL: [IPPROTO_TCP, 0x101],
    TCP_KEEPCNT: [IPPROTO_TCP, 0x102],
    TCP_FASTOPEN: [IPPROTO_TCP, 0x105],
    IP_TOS: [IPPROTO_IP, 3],
    IPV6_TCLASS: [IPPROTO_IPV6, 36],
  },
  duplicate: (calls, descriptor) =>
    closeOnExec(
      calls,
      systemCall(calls, 'dup', () => calls.dup(descriptor)),
    ),
  adopt: closeOnExec,
  openSocket: (calls, family, type) =>
    closeOnExec(
      calls,
      systemCall(calls, 'socket', () => calls.socket(AF[family], SOCK[type], 0)),
    ),
  unixAddress(path) {
    if (path[0] === 0) throw new SysError('sendmsg', 'EAFNOSUPPORT', 'macOS has no abstract unix sockets');
    const address = Buffer.alloc(2 + path.length + 1);
    address.writeUInt8(address.length, 0);
    address.writeUInt8(AF.unix, 1);
    path.copy(address, 2);
    return address;
  },
  peerCredentials,
  tcpInfo,
};

function closeOnExec(calls: NativeCalls, descriptor: number): number {
  calls.ioctl(descriptor, FIOCLEX);
  return descriptor;
}

/** `struct xucred` of 76 bytes: version, uid, count of groups, groups; the first group is the effective one. */
function peerCredentials(calls: NativeCalls, socket: number): PeerCredentials {
  const value = readOption(calls, socket, SOL_LOCAL, LOCAL_PEERCRED, 76);
  const pid = readOption(calls, socket, SOL_LOCAL, LOCAL_PEERPID, 4);
  return { pid: pid.readInt32LE(), uid: value.readUInt32LE(4), gid: value.readUInt32LE(12) };
}

/** `struct tcp_connection_info`; its times are in milliseconds, its window in bytes. */
function tcpInfo(calls: NativeCalls, socket: number): TcpInfo {
  const value = readOption(calls, socket, IPPROTO_TCP, TCP_CONNECTION_INFO, 112);
  const sendMss = value.readUInt32LE(16);
  return {
    sendMss,
    rttMicros: value.readUInt32LE(44) * 1000,
    rttVarianceMicros: value.readUInt32LE(48) * 1000,
    congestionWindow: Math.floor(value.readUInt32LE(24) / Math.max(1, sendMss)),
    totalRetransmits: Number(value.readBigUInt64LE(104)),
  };
}
