import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CirqueError } from '@cirque/error';
import { duplexPair } from '@cirque/testing';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { TcpOptions } from '../src/native-options.ts';
import { setsDscp, setsProbes } from '../src/socket-options.ts';
import { LIBRARIES, withLibrary } from './libraries.ts';

const load = async () => ({
  ...(await import('../src/index.ts')),
  ...(await import('@cirque/sys')),
});
type Loaded = Awaited<ReturnType<typeof load>>;

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function listen(where: { host: string } | { path: string }): Promise<Server> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen('path' in where ? where : { ...where, port: 0 }, resolve));
  cleanups.push(() => new Promise((resolve) => server.close(resolve)));
  return server;
}

/** What a listener accepts from a client that connects to `host`. */
async function accept(server: Server, host: string): Promise<{ accepted: Socket; client: Socket }> {
  const waiting = new Promise<Socket>((resolve) => server.once('connection', resolve));
  const address = server.address();
  const client = typeof address === 'string' ? connect(address) : connect((address as AddressInfo).port, host);
  const accepted = await waiting;
  for (const socket of [accepted, client]) {
    socket.on('error', () => undefined);
    cleanups.push(() => socket.closed || new Promise((resolve) => socket.once('close', resolve).destroy()));
  }
  return { accepted, client };
}

const ALL: TcpOptions = {
  keepAlive: { idleMs: 33_000, intervalMs: 4_000, count: 7 },
  userTimeoutMs: 12_345,
  dscp: 46,
  sendBufferBytes: 100_000,
  receiveBufferBytes: 90_000,
  fastOpenQueue: 17,
};

describe.each(LIBRARIES)('through %s', (choice) => {
  let lib: Loaded;
  beforeAll(async () => {
    lib = await withLibrary(choice, load);
  });

  test.each([
    ['127.0.0.1', '127.0.0.1', 4, ['IP_TOS']],
    ['::1', '::1', 6, ['IPV6_TCLASS', 'IP_TOS']],
    ['::', '127.0.0.1', 6, ['IPV6_TCLASS', 'IP_TOS']],
  ] as const)('connections to a listener on %s inherit its options (%s)', async (host, target, family, marks) => {
    const server = await listen({ host });
    const plan = lib.planTcpOptions(ALL, {});
    const sys = lib.requireSys('test');
    const listening = lib.descriptorOf(server) as number;
    lib.setNativeOptions(listening, family, plan?.native ?? [], 'Internal');
    const { accepted } = await accept(server, target);
    if (plan?.node !== undefined) lib.applyNodeOptions(accepted, plan.node);
    const descriptor = lib.descriptorOf(accepted) as number;
    const read = (option: Parameters<typeof sys.getSocketOption>[1]): number => sys.getSocketOption(descriptor, option);
    for (const mark of marks) expect([mark, read(mark)]).toEqual([mark, 46 << 2]);
    expect(read('TCP_USER_TIMEOUT')).toBe(12_345);
    // Linux doubles both.
    expect(read('SO_SNDBUF')).toBe(200_000);
    expect(read('SO_RCVBUF')).toBe(180_000);
    expect(read('SO_KEEPALIVE')).toBe(1);
    expect([read('TCP_KEEPIDLE'), read('TCP_KEEPINTVL'), read('TCP_KEEPCNT')]).toEqual([33, 4, 7]);
    expect(sys.getSocketOption(listening, 'TCP_FASTOPEN')).toBe(17);
  });

  test('probes that only a native call can set are set by one', async () => {
    const { keepAlive } = ALL;
    const plan = lib.planTcpOptions({ keepAlive }, {});
    expect(plan?.node?.keepAlive).toEqual(setsProbes ? keepAlive : undefined);
    expect(plan?.native.map(({ option }) => option)).toEqual(
      setsProbes ? [] : ['TCP_KEEPIDLE', 'TCP_KEEPINTVL', 'TCP_KEEPCNT', 'SO_KEEPALIVE'],
    );
  });

  test('an option that the system refuses is an error that names it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'cirque-'));
    cleanups.push(() => rmSync(folder, { recursive: true }));
    const server = await listen({ path: join(folder, 's') });
    const native = lib.planTcpOptions({ userTimeoutMs: 5 }, { userTimeoutMs: 'the timeout' })?.native ?? [];
    let error: CirqueError | undefined;
    try {
      lib.setNativeOptions(lib.descriptorOf(server) as number, 4, native, 'Upstream');
    } catch (thrown) {
      error = thrown as CirqueError;
    }
    expect(error).toMatchObject({ type: 'SocketError', source: 'Upstream', context: 'the timeout cannot be set' });
    // One number, two names.
    expect(error).toHaveProperty('cause.code', expect.stringMatching(/^E(OP)?NOTSUPP?$/));
  });

  test('digest.tcpInfo() tells the round-trip time of a connection until it is closed', async () => {
    const server = await listen({ host: '127.0.0.1' });
    const { accepted, client } = await accept(server, '127.0.0.1');
    const stream = new lib.Stream(accepted, 'Downstream');
    const received = new Promise((resolve) => client.once('data', resolve));
    stream.writeLatin1('hello');
    await received;
    const { digest } = stream;
    const info = digest.tcpInfo();
    expect(info?.rttMicros).toBeGreaterThan(0);
    expect(info?.rttMicros).toBeLessThan(10_000_000);
    expect(info).toMatchObject({ totalRetransmits: 0 });
    expect({ ...digest }.tcpInfo()?.sendMss).toBe(info?.sendMss);
    const closed = new Promise((resolve) => accepted.once('close', resolve));
    stream.destroy();
    await closed;
    expect(digest.tcpInfo()).toBeUndefined();
  });

  test('digest.tcpInfo() of a stream over another one is that of the socket underneath', async () => {
    const server = await listen({ host: '127.0.0.1' });
    const { client } = await accept(server, '127.0.0.1');
    const [upper, far] = duplexPair();
    cleanups.push(
      () => upper.destroy(),
      () => far.destroy(),
    );
    const stream = new lib.Stream(upper, 'Upstream');
    expect(stream.digest.tcpInfo()).toBeUndefined();
    stream.identify({ carrier: client });
    expect(stream.digest.tcpInfo()?.sendMss).toBeGreaterThan(0);
  });

  test('digest.tcpInfo() is undefined for unix sockets', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'cirque-'));
    cleanups.push(() => rmSync(folder, { recursive: true }));
    const server = await listen({ path: join(folder, 's') });
    const { accepted } = await accept(server, '');
    expect(new lib.Stream(accepted, 'Downstream').digest.tcpInfo()).toBeUndefined();
  });
});

describe('without native calls', () => {
  let lib: Loaded;
  beforeAll(async () => {
    lib = await withLibrary('off', load);
  });

  test.each([
    [{ userTimeoutMs: 1 }, 'userTimeoutMs'],
    [{ sendBufferBytes: 1 }, 'sendBufferBytes'],
    [{ receiveBufferBytes: 1 }, 'receiveBufferBytes'],
    [{ fastOpenQueue: 1 }, 'fastOpenQueue'],
    [{ fastOpenConnect: true }, 'fastOpenConnect'],
  ] satisfies [TcpOptions, keyof TcpOptions][])('planTcpOptions refuses %j', (options, name) => {
    const plan = (): unknown => lib.planTcpOptions(options, { [name]: `option ${name}` });
    expect(plan).toThrow(TypeError);
    expect(plan).toThrow(`option ${name} cannot be set here, as native calls are switched off by CIRQUE_FFI=off`);
  });

  test('planTcpOptions has Node set what it can, and refuses the rest', () => {
    const idle = { keepAlive: { idleMs: 1_000 } };
    expect(lib.planTcpOptions(idle, {})).toEqual({ node: idle, native: [] });
    const probes = { keepAlive: { idleMs: 1_000, count: 2 } };
    if (setsProbes) expect(lib.planTcpOptions(probes, {})).toEqual({ node: probes, native: [] });
    else expect(() => lib.planTcpOptions(probes, {})).toThrow('keepAlive cannot be set here');
    if (setsDscp) expect(lib.planTcpOptions({ dscp: 0 }, {})).toEqual({ node: { dscp: 0 }, native: [] });
    else expect(() => lib.planTcpOptions({ dscp: 0 }, {})).toThrow('dscp cannot be set here');
  });

  test('digest.tcpInfo() is undefined', async () => {
    const server = await listen({ host: '127.0.0.1' });
    const { accepted } = await accept(server, '127.0.0.1');
    expect(new lib.Stream(accepted, 'Downstream').digest.tcpInfo()).toBeUndefined();
  });
});

test('planTcpOptions: without options there is no plan', async () => {
  const { planTcpOptions } = await import('../src/native-options.ts');
  expect(planTcpOptions({}, {})).toBeUndefined();
  expect(planTcpOptions({ keepAlive: undefined, fastOpenConnect: false }, {})).toBeUndefined();
});

test.runIf(setsDscp)('applyNodeOptions marks what Node can mark', async () => {
  const { applyNodeOptions } = await import('../src/socket-options.ts');
  const server = await listen({ host: '127.0.0.1' });
  const { accepted } = await accept(server, '127.0.0.1');
  applyNodeOptions(accepted, { dscp: 10 });
  expect((accepted as unknown as { getTypeOfService(): number }).getTypeOfService()).toBe(40);
});
