/**
 * The options of upstream connections as the kernel has them, through every library for native calls, and without.
 */
import { readdirSync } from 'node:fs';
import type { Socket } from 'node:net';
import type { CirqueError } from '@cirque/error';
import { TestOrigin } from '@cirque/testing';
import type { Stream } from '@cirque/transport';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { PeerOptions } from '../src/peer-options.ts';
import { closeAll, closeLater } from './closing.ts';
import { exchange } from './exchange.ts';
import { LIBRARIES, withLibrary } from './libraries.ts';
import { noNamespaces, runInNamespace } from './namespace.ts';
import { CA, openTlsOrigin } from './tls-origin.ts';

const load = async () => ({
  ...(await import('../src/index.ts')),
  ...(await import('@cirque/sys')),
});
type Loaded = Awaited<ReturnType<typeof load>>;

afterEach(closeAll);

async function openOrigin(host = '127.0.0.1'): Promise<{ host: string; port: number }> {
  const origin = await TestOrigin.listen([], { host });
  closeLater(() => origin.close());
  return { host, port: origin.port };
}

async function openStream(lib: Loaded, address: { host: string; port: number }, options: PeerOptions): Promise<Stream> {
  const stream = await new lib.TransportConnector().newStream(new lib.HttpPeer(address, options));
  closeLater(() => stream.destroy());
  return stream;
}

async function failure(attempt: Promise<unknown>): Promise<CirqueError> {
  const error: unknown = await attempt.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error === undefined) throw new Error('it succeeded');
  return error as CirqueError;
}

function openDescriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

const ALL: PeerOptions = {
  tcpKeepAlive: { idleMs: 33_000, intervalMs: 4_000, count: 7 },
  tcpUserTimeoutMs: 12_345,
  tcpFastOpen: true,
  dscp: 46,
  sendBufferBytes: 100_000,
  receiveBufferBytes: 90_000,
};

describe.each(LIBRARIES)('options of TCP through %s', (choice) => {
  let lib: Loaded;
  beforeAll(async () => {
    lib = await withLibrary(choice, load);
  });

  /** What the kernel says of the socket of a stream. */
  function reader(stream: Stream): (option: Parameters<ReturnType<typeof sys>['getSocketOption']>[1]) => number {
    const descriptor = lib.descriptorOf(stream.duplex as Socket) as number;
    return (option) => sys().getSocketOption(descriptor, option);
  }

  function sys(): NonNullable<ReturnType<Loaded['loadSys']>> {
    const loaded = lib.loadSys();
    if (loaded === undefined) throw new Error('no native calls');
    return loaded;
  }

  test.each([
    ['127.0.0.1', 'IP_TOS'],
    ['::1', 'IPV6_TCLASS'],
  ] as const)('all of them are set on a connection to %s', async (host, mark) => {
    const read = reader(await openStream(lib, await openOrigin(host), ALL));
    expect(read('SO_KEEPALIVE')).toBe(1);
    expect([read('TCP_KEEPIDLE'), read('TCP_KEEPINTVL'), read('TCP_KEEPCNT')]).toEqual([33, 4, 7]);
    expect(read('TCP_USER_TIMEOUT')).toBe(12_345);
    expect(read('TCP_FASTOPEN_CONNECT')).toBe(1);
    expect(read(mark)).toBe(46 << 2);
    // Linux doubles both.
    expect([read('SO_SNDBUF'), read('SO_RCVBUF')]).toEqual([200_000, 180_000]);
  });

  test('a connection without them has none', async () => {
    const read = reader(await openStream(lib, await openOrigin(), {}));
    const names = [
      'SO_KEEPALIVE',
      'TCP_USER_TIMEOUT',
      'TCP_FASTOPEN_CONNECT',
      'IP_TOS',
      'IP_BIND_ADDRESS_NO_PORT',
    ] as const;
    expect(names.map((name) => [name, read(name)])).toEqual(names.map((name) => [name, 0]));
  });

  test('requests are answered over such connections, which are used again', async () => {
    const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
    const answering = { repeat: [{ expect: '\r\n\r\n' }, { send: answer }] };
    const origin = await TestOrigin.listen([answering]);
    closeLater(() => origin.close());
    const connector = new lib.HttpConnector();
    closeLater(() => connector.close());
    const peer = new lib.HttpPeer(origin.address, { ...ALL, bindTo: { address: '127.0.0.7' } });
    expect(await exchange(connector, peer)).toEqual({ status: 200, body: 'ok', reused: false });
    expect(await exchange(connector, peer)).toEqual({ status: 200, body: 'ok', reused: true });
  });

  test('TLS is spoken over them', async () => {
    const origin = await openTlsOrigin();
    const connector = new lib.HttpConnector();
    closeLater(() => connector.close());
    const peer = new lib.HttpPeer(origin.address, { ...ALL, bindTo: { address: '127.0.0.7' }, tls: true, ca: CA.cert });
    expect(await exchange(connector, peer)).toMatchObject({ status: 200 });
  });

  test('a connection is bound late, so that its address has all ports for each upstream', async () => {
    const bound = await openStream(lib, await openOrigin(), { bindTo: { address: '127.0.0.7' } });
    expect(bound.digest.socket.localAddress).toBe('127.0.0.7');
    expect(reader(bound)('IP_BIND_ADDRESS_NO_PORT')).toBe(1);
    const six = await openStream(lib, await openOrigin('::1'), { bindTo: { address: '::1' } });
    expect(reader(six)('IP_BIND_ADDRESS_NO_PORT')).toBe(1);
  });

  test('failures are what they are without options, and leave no descriptor behind', async () => {
    const closed = await TestOrigin.listen([]);
    const { port } = closed;
    await closed.close();
    const before = openDescriptors();
    const options = { ...ALL, tcpFastOpen: false };
    const refused = await failure(openStream(lib, { host: '127.0.0.1', port }, options));
    expect(refused).toMatchObject({ type: 'ConnectRefused', source: 'Upstream' });
    const foreign = { ...options, bindTo: { address: '192.0.2.1' } };
    expect(await failure(openStream(lib, { host: '127.0.0.1', port }, foreign))).toMatchObject({ type: 'BindError' });
    const otherFamily = { ...options, bindTo: { address: '::1' } };
    expect(await failure(openStream(lib, { host: '127.0.0.1', port }, otherFamily))).toMatchObject({
      type: 'BindError',
    });
    await expect.poll(openDescriptors).toBe(before);
  });

  test.skipIf(noNamespaces !== undefined)(
    'ten ports are enough for eight connections to each of two upstreams',
    async () => {
      const settings = { ip_local_port_range: '40000 40009' };
      expect(await runInNamespace('few-ports', choice, settings)).toEqual({ opened: 16, errors: [] });
    },
  );

  test.skipIf(noNamespaces !== undefined)('fast open: the second connection sends with its first packet', async () => {
    const result = await runInNamespace('fast-open', choice, { tcp_fastopen: '3' });
    expect(result).toEqual({ echoed: ['hello', 'hello'], active: 1, passive: 1 });
  });
});

describe('options of TCP without native calls', () => {
  let lib: Loaded;
  beforeAll(async () => {
    lib = await withLibrary('off', load);
  });

  test.each(['tcpUserTimeoutMs', 'tcpFastOpen', 'sendBufferBytes', 'receiveBufferBytes'] as const)(
    '%s is refused when the peer is made',
    (name) => {
      const make = (): unknown => new lib.HttpPeer('127.0.0.1:80', { [name]: ALL[name] });
      expect(make).toThrow(TypeError);
      expect(make).toThrow(
        `peer option ${name} cannot be set here, as native calls are switched off by CIRQUE_FFI=off`,
      );
    },
  );

  test('what says the default is not refused', () => {
    expect(new lib.HttpPeer('127.0.0.1:80', { tcpUserTimeoutMs: 0, tcpFastOpen: false }).reuseKey).toBe('127.0.0.1:80');
  });

  test('bindTo works', async () => {
    const stream = await openStream(lib, await openOrigin(), { bindTo: { address: '127.0.0.7' } });
    expect(stream.digest.socket.localAddress).toBe('127.0.0.7');
    expect(stream.digest.tcpInfo()).toBeUndefined();
  });

  test.skipIf(noNamespaces !== undefined)('ten ports are ten connections', async () => {
    const settings = { ip_local_port_range: '40000 40009' };
    const result = await runInNamespace<{ opened: number; errors: string[] }>('few-ports', 'off', settings);
    expect(result.opened).toBeLessThanOrEqual(10);
    expect(new Set(result.errors)).toEqual(new Set(['BindError']));
  });
});
