/**
 * The options of listeners as the kernel has them, on real connections, through every library for native calls.
 */
import { readFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { RawClient } from '@cirque/testing';
import type { InetAddress, Stream } from '@cirque/transport';
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { TcpSocketOptions } from '../src/listeners/endpoint.ts';
import { LIBRARIES, withLibrary } from './libraries.ts';

const load = async () => ({
  ...(await import('../src/listeners/bind.ts')),
  ...(await import('../src/listeners/endpoint.ts')),
  ...(await import('../src/listeners/service-connections.ts')),
  ...(await import('../src/listeners/transport-stack.ts')),
  ...(await import('../src/logger.ts')),
  ...(await import('@cirque/sys')),
});
type Loaded = Awaited<ReturnType<typeof load>>;
type Sys = NonNullable<ReturnType<Loaded['loadSys']>>;
type Read = (option: Parameters<Sys['getSocketOption']>[1]) => number;

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** What this runtime does without native calls. */
const setsProbes = Socket.prototype.setKeepAlive.length >= 4;
const setsDscp = 'setTypeOfService' in Socket.prototype;

const ALL: TcpSocketOptions = {
  keepAlive: { idleMs: 33_000, intervalMs: 4_000, count: 7 },
  userTimeoutMs: 12_345,
  dscp: 46,
  sendBufferBytes: 100_000,
  receiveBufferBytes: 90_000,
  fastOpen: 17,
};

/** A listener that is served, with its warnings and the connections that the application got. */
async function serve(lib: Loaded, address: string, options: TcpSocketOptions, reads: 'callback' | 'duplex') {
  const endpoint = lib.tcpEndpoint(address, options);
  const listener = await lib.bind(endpoint, { retry: false });
  const streams: Stream[] = [];
  const warn = vi.fn();
  const app = { reads, processNew: (stream: Stream) => void streams.push(stream) };
  const connections = new lib.ServiceConnections('test', app);
  const shutdown = new AbortController().signal;
  const context = { app, connections, logger: { ...lib.silentLogger, warn }, shutdown, filter: undefined };
  const stack = new lib.TransportStack(endpoint, listener, context);
  cleanups.push(() => {
    stack.stop();
    connections.open.destroyAll();
  });
  return { listener, port: (listener.address as InetAddress).port, streams, warnings: () => warn.mock.calls.flat() };
}

async function connect(host: string, port: number): Promise<void> {
  const client = await RawClient.connect({ host, port });
  cleanups.push(() => client.close());
}

describe.each(LIBRARIES)('options of listeners through %s', (choice) => {
  let lib: Loaded;
  beforeAll(async () => {
    lib = await withLibrary(choice, load);
  });

  function reader(socket: Parameters<Loaded['descriptorOf']>[0]): Read {
    const descriptor = lib.descriptorOf(socket) as number;
    return (option) => (lib.loadSys() as Sys).getSocketOption(descriptor, option);
  }

  test.each([
    ['127.0.0.1:0', '127.0.0.1', 'callback', 'IP_TOS'],
    ['127.0.0.1:0', '127.0.0.1', 'duplex', 'IP_TOS'],
    ['[::]:0', '127.0.0.1', 'callback', 'IP_TOS'],
    ['[::1]:0', '::1', 'callback', 'IPV6_TCLASS'],
  ] as const)('a connection to %s from %s has all of them (%s)', async (address, host, reads, mark) => {
    const { listener, port, streams } = await serve(lib, address, ALL, reads);
    await connect(host, port);
    await expect.poll(() => streams.length).toBe(1);
    const read = reader((streams[0] as Stream).duplex as Socket);
    expect(read('SO_KEEPALIVE')).toBe(1);
    expect([read('TCP_KEEPIDLE'), read('TCP_KEEPINTVL'), read('TCP_KEEPCNT')]).toEqual([33, 4, 7]);
    expect(read('TCP_USER_TIMEOUT')).toBe(12_345);
    expect(read(mark)).toBe(46 << 2);
    // Linux doubles both.
    expect([read('SO_SNDBUF'), read('SO_RCVBUF')]).toEqual([200_000, 180_000]);
    expect(reader(listener.server)('TCP_FASTOPEN')).toBe(17);
  });

  test('a connection to a listener without options has none', async () => {
    const { listener, port, streams, warnings } = await serve(lib, '127.0.0.1:0', {}, 'callback');
    await connect('127.0.0.1', port);
    await expect.poll(() => streams.length).toBe(1);
    const read = reader((streams[0] as Stream).duplex as Socket);
    expect(['SO_KEEPALIVE', 'TCP_USER_TIMEOUT', 'IP_TOS'].map((name) => read(name as 'IP_TOS'))).toEqual([0, 0, 0]);
    expect(reader(listener.server)('TCP_FASTOPEN')).toBe(0);
    expect(warnings()).toEqual([]);
  });

  test('options are on the listening socket, so that to accept a connection costs no more', async () => {
    const { listener } = await serve(lib, '127.0.0.1:0', ALL, 'callback');
    const read = reader(listener.server);
    expect([read('TCP_USER_TIMEOUT'), read('IP_TOS'), read('SO_SNDBUF')]).toEqual([12_345, 46 << 2, 200_000]);
  });

  test('a buffer that the system cuts is a warning', async () => {
    const { warnings } = await serve(lib, '127.0.0.1:0', { receiveBufferBytes: 2 ** 30 - 1 }, 'callback');
    const most = Number(readFileSync('/proc/sys/net/core/rmem_max', 'utf8'));
    expect(warnings()).toEqual([
      `receiveBufferBytes is ${2 ** 30 - 1}, but this system gives ${most} at most: net.core.rmem_max`,
    ]);
  });

  test('fast open that the system does not allow to servers is a warning', async () => {
    const { warnings } = await serve(lib, '127.0.0.1:0', { fastOpen: 5 }, 'callback');
    const allowed = Number(readFileSync('/proc/sys/net/ipv4/tcp_fastopen', 'utf8'));
    const warning = `fastOpen has no effect: sysctl net.ipv4.tcp_fastopen is ${allowed}, and servers need 2 or 3`;
    expect(warnings()).toEqual((allowed & 2) === 0 ? [warning] : []);
  });

  test('reusePort lets several listen on one address, and without it nobody else does', async () => {
    const { port } = await serve(lib, '127.0.0.1:0', { reusePort: true }, 'callback');
    const address = `127.0.0.1:${port}`;
    await serve(lib, address, { reusePort: true }, 'callback');
    await expect(serve(lib, address, {}, 'callback')).rejects.toMatchObject({ type: 'BindError' });
  });

  test('an option that the system refuses closes the listener again, and names the option', async () => {
    const endpoint = lib.tcpEndpoint('127.0.0.1:0', { userTimeoutMs: 5 });
    const listener = await lib.bind(endpoint, { retry: false });
    const sys = lib.loadSys() as Sys;
    const refusing = vi.spyOn(Object.getPrototypeOf(sys) as Sys, 'setSocketOption').mockImplementation(() => {
      throw new lib.SysError('setsockopt', 'EPERM');
    });
    cleanups.push(() => refusing.mockRestore());
    const app = { processNew: () => undefined };
    const connections = new lib.ServiceConnections('test', app);
    const shutdown = new AbortController().signal;
    const context = { app, connections, logger: lib.silentLogger, shutdown, filter: undefined };
    const make = (): unknown => new lib.TransportStack(endpoint, listener, context);
    expect(make).toThrow(expect.objectContaining({ type: 'SocketError', context: 'userTimeoutMs cannot be set' }));
    expect(listener.server.listening).toBe(false);
  });
});

describe('options of listeners without native calls', () => {
  let lib: Loaded;
  beforeAll(async () => {
    lib = await withLibrary('off', load);
  });

  test.each(['userTimeoutMs', 'sendBufferBytes', 'receiveBufferBytes', 'fastOpen'] as const)(
    'tcpEndpoint refuses %s',
    (name) => {
      const make = (): unknown => lib.tcpEndpoint('127.0.0.1:0', { [name]: ALL[name] });
      expect(make).toThrow(TypeError);
      expect(make).toThrow(`${name} cannot be set here, as native calls are switched off by CIRQUE_FFI=off`);
    },
  );

  test.runIf(setsProbes && setsDscp)('Node sets probes and marks by itself', async () => {
    const { keepAlive, dscp } = ALL as Required<TcpSocketOptions>;
    const { port, streams } = await serve(lib, '127.0.0.1:0', { keepAlive, dscp }, 'callback');
    await connect('127.0.0.1', port);
    await expect.poll(() => streams.length).toBe(1);
    const socket = (streams[0] as Stream).duplex as Socket & { getTypeOfService(): number };
    expect(socket.getTypeOfService()).toBe(46 << 2);
  });

  test.skipIf(setsProbes)('this Node sets no interval of probes by itself', () => {
    expect(() => lib.tcpEndpoint('127.0.0.1:0', { keepAlive: { idleMs: 1_000, intervalMs: 2_000 } })).toThrow(
      'keepAlive cannot be set here',
    );
  });
});
