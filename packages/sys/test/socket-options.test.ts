import { once } from 'node:events';
import { closeSync } from 'node:fs';
import net from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { descriptorOf, type SocketOption } from '../src/index.ts';
import { backends } from './backends.ts';
import { Sandbox } from './sandbox.ts';

let sandbox: Sandbox;
beforeEach(() => {
  sandbox = new Sandbox();
});
afterEach(() => sandbox.end());

const LOOPBACK = { port: 0, host: '127.0.0.1' };

describe.each(backends)('through $name', ({ sys }) => {
  test.each<[SocketOption, 4 | 6, number, number]>([
    ['SO_REUSEPORT', 4, 1, 1],
    ['SO_SNDBUF', 4, 40_000, 80_000], // Linux doubles what is set, for its own bookkeeping
    ['SO_RCVBUF', 4, 50_000, 100_000],
    ['SO_KEEPALIVE', 4, 1, 1],
    ['TCP_KEEPIDLE', 4, 33, 33],
    ['TCP_KEEPINTVL', 4, 7, 7],
    ['TCP_KEEPCNT', 4, 4, 4],
    ['TCP_USER_TIMEOUT', 4, 30_000, 30_000],
    ['TCP_FASTOPEN_CONNECT', 4, 1, 1],
    ['IP_TOS', 4, 0xb8, 0xb8],
    ['IP_BIND_ADDRESS_NO_PORT', 4, 1, 1],
    ['IPV6_TCLASS', 6, 0x28, 0x28],
  ])('setSocketOption %s of a new TCP%d socket', (option, family, value, expected) => {
    const socket = sys.createTcpSocket(family);
    sandbox.later(() => sys.close(socket));
    expect(sys.getSocketOption(socket, option)).not.toBe(expected);
    sys.setSocketOption(socket, option, value);
    expect(sys.getSocketOption(socket, option)).toBe(expected);
  });

  test('setSocketOption TCP_FASTOPEN of a listening socket', async () => {
    const listener = descriptorOf(await sandbox.listen(LOOPBACK)) as number;
    sys.setSocketOption(listener, 'TCP_FASTOPEN', 16);
    expect(sys.getSocketOption(listener, 'TCP_FASTOPEN')).toBe(16);
  });

  test('getSocketOption tells kinds of sockets apart', async () => {
    const server = await sandbox.listen({ path: sandbox.path('kind.sock') });
    const [client] = await sandbox.pair(LOOPBACK);
    const SOCK_STREAM = 1;
    expect(sys.getSocketOption(descriptorOf(server) as number, 'SO_TYPE')).toBe(SOCK_STREAM);
    expect(sys.getSocketOption(descriptorOf(server) as number, 'SO_ACCEPTCONN')).toBe(1);
    expect(sys.getSocketOption(descriptorOf(client) as number, 'SO_ACCEPTCONN')).toBe(0);
  });

  test('setSocketOption and getSocketOption say why not', async () => {
    const [unix] = await sandbox.descriptors();
    const file = sandbox.file('file');
    sandbox.later(() => closeSync(file));
    expect(() => sys.setSocketOption(file, 'SO_SNDBUF', 1)).toThrow(/^setsockopt: ENOTSOCK/);
    expect(() => sys.getSocketOption(100_000, 'SO_SNDBUF')).toThrow(/^getsockopt: EBADF/);
    expect(() => sys.setSocketOption(unix, 'TCP_KEEPIDLE', 1)).toThrow(/^setsockopt: E(OP)?NOTSUP/);
    expect(() => sys.setSocketOption(unix, 'SO_SNDBUF', 0.5)).toThrow('SO_SNDBUF must be a whole number, got 0.5');
    expect(() => sys.setSocketOption(unix, 'SO_NOTHING' as SocketOption, 1)).toThrow(
      /^setsockopt: ENOPROTOOPT.*SO_NOTHING/,
    );
  });

  test('tcpInfo has the round-trip time of a connection', async () => {
    const [client] = await sandbox.pair(LOOPBACK);
    const info = sys.tcpInfo(descriptorOf(client) as number);
    expect(info.rttMicros).toBeGreaterThan(0);
    expect(info.rttMicros).toBeLessThan(1_000_000);
    const half = info.rttMicros / 2; // what the variance begins with (RFC 6298): only the handshake was measured so far
    expect(Math.abs(info.rttVarianceMicros - half)).toBeLessThanOrEqual(1);
    expect(info.sendMss).toBeGreaterThan(500);
    expect(info.congestionWindow).toBeGreaterThan(0);
    expect(info.totalRetransmits).toBe(0);
  });

  test('tcpInfo is only for TCP', async () => {
    const [unix] = await sandbox.descriptors();
    expect(() => sys.tcpInfo(unix)).toThrow(/^getsockopt: E(OP)?NOTSUP/);
  });

  test('peerCredentials has who connected, on both sides', async () => {
    const self = { pid: process.pid, uid: process.getuid?.(), gid: process.getgid?.() };
    for (const end of await sandbox.descriptors()) expect(sys.peerCredentials(end)).toEqual(self);
  });

  test('peerCredentials has the process at the other end', async () => {
    const path = sandbox.path('peer.sock');
    const server = await sandbox.listen({ path });
    const child = sandbox.start('serve-received.ts', [path]);
    const [connection] = (await once(server, 'connection')) as [net.Socket];
    sandbox.later(() => connection.destroy());
    expect(sys.peerCredentials(descriptorOf(connection) as number).pid).toBe(child.pid);
  });

  test('peerCredentials refuses sockets that have none', async () => {
    const [tcp] = await sandbox.pair(LOOPBACK);
    expect(() => sys.peerCredentials(descriptorOf(tcp) as number)).toThrow(/^getsockopt: ENOTCONN/);
  });

  test('createTcpSocket makes sockets that net.Socket connects, with options from before the connection', async () => {
    const server = net.createServer((socket) => socket.pipe(socket));
    sandbox.later(() => server.close());
    server.listen(LOOPBACK);
    await once(server, 'listening');
    sys.setSocketOption(descriptorOf(server) as number, 'TCP_FASTOPEN', 16);
    const { port } = server.address() as net.AddressInfo;
    // The first connection fetches a cookie where the system allows fast open, the second one may use it.
    for (const localAddress of ['127.0.0.2', '127.0.0.3']) {
      const fd = sys.createTcpSocket(4);
      sys.setSocketOption(fd, 'IP_BIND_ADDRESS_NO_PORT', 1);
      sys.setSocketOption(fd, 'TCP_FASTOPEN_CONNECT', 1);
      sys.setSocketOption(fd, 'SO_RCVBUF', 30_000);
      const socket = new net.Socket({ fd });
      sandbox.later(() => socket.destroy());
      const accepted = once(server, 'connection') as Promise<[net.Socket]>;
      socket.connect({ port, host: '127.0.0.1', localAddress });
      socket.end('echo');
      const [answer] = (await once(socket.setEncoding('utf8'), 'data')) as [string];
      const [other] = await accepted;
      expect({ answer, from: other.remoteAddress }).toEqual({ answer: 'echo', from: localAddress });
      expect(sys.getSocketOption(fd, 'SO_RCVBUF')).toBe(60_000);
      other.destroy();
      await once(socket, 'close');
    }
  });

  test('createTcpSocket makes sockets for IPv6', async () => {
    const server = await sandbox.listen({ port: 0, host: '::1' });
    const socket = new net.Socket({ fd: sys.createTcpSocket(6) });
    sandbox.later(() => socket.destroy());
    socket.connect({ port: (server.address() as net.AddressInfo).port, host: '::1' });
    await once(socket, 'connect');
    expect(socket.remoteFamily).toBe('IPv6');
  });

  test('createTcpSocket knows two families', () => {
    expect(() => sys.createTcpSocket(5 as 4)).toThrow('family must be 4 or 6, got 5');
  });
});
