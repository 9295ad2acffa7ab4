import { execFileSync } from 'node:child_process';
import { createSocket, type Socket as DatagramSocket } from 'node:dgram';
import { once } from 'node:events';
import { closeSync, existsSync, fstatSync, mkdtempSync, openSync, readdirSync, rmSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CirqueError } from '@cirque/error';
import { loadSys, type Sys } from '@cirque/sys';
import { formatAddress, isUnixAddress } from '@cirque/transport';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { probeAddress } from '../src/listeners/bind.ts';
import type { BoundListener } from '../src/listeners/bound-listener.ts';
import { type Endpoint, tcpEndpoint, unixEndpoint } from '../src/listeners/endpoint.ts';
import { checkUdp, probeUdp } from '../src/sockets/probe-udp.ts';
import { type BoundDatagram, ServiceSockets } from '../src/sockets/service-sockets.ts';
import type { SocketRecord } from '../src/sockets/socket-record.ts';
import { SocketTable } from '../src/sockets/socket-table.ts';

/** From iproute2; the only way to read a backlog. */
const hasSs = existsSync('/usr/bin/ss') || existsSync('/bin/ss');
const { signal } = new AbortController();
const sys = loadSys() as Sys; // koffi is there where the runtime has nothing
let folder: string;
const cleanups: (() => void)[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cirque-sockets-'));
});
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
  rmSync(folder, { recursive: true });
});

function socketsOf(table: SocketTable, service = 'web'): ServiceSockets {
  return new ServiceSockets(service, table, signal);
}

async function listen(table: SocketTable, endpoint: Endpoint): Promise<readonly BoundListener[]> {
  const listeners = await socketsOf(table).listen(endpoint);
  for (const listener of listeners) cleanups.push(() => listener.close());
  return listeners;
}

async function udp(table: SocketTable, address: string, options = {}): Promise<BoundDatagram> {
  const bound = await socketsOf(table).udp(address, options);
  cleanups.push(() => bound.close());
  return bound;
}

/** The record as a successor gets it: with another descriptor of the same socket. */
function handedOver(record: SocketRecord | undefined): SocketRecord {
  if (record === undefined) throw new Error('no record');
  return { ...record, fd: sys.dup(record.fd) };
}

function only<T>(list: readonly T[]): T {
  expect(list).toHaveLength(1);
  return list[0] as T;
}

function greet({ server }: BoundListener, text: string): void {
  server.on('connection', (socket) => socket.on('error', () => {}).end(text));
}

function greeting({ address }: Pick<BoundListener, 'address'>): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = isUnixAddress(address) ? connect(address.path) : connect(address.port, address.host);
    socket.once('data', (chunk: Buffer) => resolve(chunk.toString()));
    socket.once('error', reject);
  });
}

/** Sends one datagram and waits for its answer. */
async function ask(address: { host: string; port: number }, from: DatagramSocket): Promise<string> {
  const answer = once(from, 'message');
  from.send('?', address.port, address.host);
  const [message] = (await answer) as [Buffer];
  return message.toString();
}

function client(type: 'udp4' | 'udp6' = 'udp4'): DatagramSocket {
  const socket = createSocket(type);
  cleanups.push(() => socket.close());
  return socket;
}

async function errorOf(promise: Promise<unknown>): Promise<CirqueError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!CirqueError.is(error)) throw new Error('expected a CirqueError');
  return error;
}

describe('ServiceSockets.listen', () => {
  test('listen binds afresh, and the table knows it until it is closed', async () => {
    const table = new SocketTable();
    const listener = only(await listen(table, tcpEndpoint('127.0.0.1:0')));
    const record = only(table.list());
    expect(record).toMatchObject({ service: 'web', kind: 'tcp', address: '127.0.0.1:0' });
    expect(record.bound).toBe(formatAddress(listener.address));
    expect(fstatSync(record.fd).isSocket()).toBe(true);
    listener.close();
    listener.close();
    expect(table.list()).toEqual([]);
    expect(listener.server.listening).toBe(false);
  });

  test.each(['127.0.0.1:0', '[::1]:0'])('listen goes on with the inherited socket of %s', async (text) => {
    const old = new SocketTable();
    const first = only(await listen(old, tcpEndpoint(text)));
    const inherited = [handedOver(old.list()[0])];
    const next = new SocketTable({ inherited });
    const second = only(await listen(next, tcpEndpoint(text)));
    expect(second.address).toEqual(first.address);
    expect(next.list()).toMatchObject([{ address: text, bound: formatAddress(first.address), fd: inherited[0]?.fd }]);
    first.close();
    greet(second, 'second');
    expect(await greeting(second)).toBe('second');
  });

  test('listen adopts every descriptor of an address, under its own name', async () => {
    const old = new SocketTable({ reusePort: true });
    const first = only(await listen(old, tcpEndpoint('127.0.0.1:0')));
    const again = new SocketTable({ reusePort: true, resolved: { '127.0.0.1:0': formatAddress(first.address) } });
    await listen(again, tcpEndpoint('127.0.0.1:0'));
    const inherited = [...old.list(), ...again.list()].map(handedOver);
    const next = new SocketTable({ inherited });
    const listeners = await socketsOf(next, 'renamed').listen(tcpEndpoint('127.0.0.1:0'));
    cleanups.push(() => listeners.forEach((one) => void one.close()));
    expect(next.list().map(({ service, fd }) => [service, fd])).toEqual(inherited.map(({ fd }) => ['renamed', fd]));
  });

  test('listen binds so that a successor can have more sockets of the address, where it may grow', async () => {
    const first = only(await listen(new SocketTable({ mayGrow: true }), tcpEndpoint('127.0.0.1:0')));
    const endpoint = tcpEndpoint(formatAddress(first.address));
    const second = only(await listen(new SocketTable({ reusePort: true }), endpoint));
    expect(second.address).toEqual(first.address);
  });

  test('listen where it may grow refuses an address on which somebody listens, unless both want to share it', async () => {
    const shared = tcpEndpoint('127.0.0.1:0', { reusePort: true });
    const { address } = only(await listen(new SocketTable({ mayGrow: true }), shared));
    const text = formatAddress(address);
    const stop = new AbortController();
    stop.abort(); // no patience
    const sockets = new ServiceSockets('web', new SocketTable({ mayGrow: true }), stop.signal);
    expect((await errorOf(sockets.listen(tcpEndpoint(text)))).context).toContain('(EADDRINUSE)');
    only(await listen(new SocketTable({ mayGrow: true }), tcpEndpoint(text, { reusePort: true })));
  });

  test.runIf(hasSs)('listen applies the backlog of the endpoint to what it adopts', async () => {
    const old = new SocketTable();
    await listen(old, tcpEndpoint('127.0.0.1:0', { backlog: 7 }));
    const next = new SocketTable({ inherited: [handedOver(old.list()[0])] });
    const { server } = only(await listen(next, tcpEndpoint('127.0.0.1:0', { backlog: 33 })));
    const { port } = server.address() as { port: number };
    expect(backlogOf(port)).toBe(33);
  });

  test.each([
    ['a closed descriptor', () => 4_000],
    ['a file', () => openSync('/dev/null', 'r')],
    ['a UDP socket', udpDescriptor],
    ['a TCP socket of another address', tcpDescriptor],
    ['a unix socket', unixDescriptor],
  ])('listen refuses %s, naming service, address and descriptor', async (_, make) => {
    const fd = await make();
    const bad = { service: 'web', kind: 'tcp', address: '127.0.0.1:0', bound: '127.0.0.1:9', fd } as const;
    const good = { ...bad, fd: openSync('/dev/null', 'r') };
    const table = new SocketTable({ inherited: [bad, good] });
    const error = await errorOf(socketsOf(table).listen(tcpEndpoint('127.0.0.1:0')));
    expect(error.type).toBe('BindError');
    expect(error.context).toContain(
      `service web: descriptor ${fd}, taken over for 127.0.0.1:0, is not a usable tcp socket (`,
    );
    expect(() => fstatSync(good.fd)).toThrow('EBADF'); // those behind it are closed
    expect(table.list()).toEqual([]);
  });

  test('listen shares an address where the table says so', async () => {
    const first = new SocketTable({ reusePort: true });
    const { address } = only(await listen(first, tcpEndpoint('127.0.0.1:0')));
    const resolved = { '127.0.0.1:0': formatAddress(address) };
    const second = new SocketTable({ reusePort: true, resolved });
    expect(only(await listen(second, tcpEndpoint('127.0.0.1:0'))).address).toEqual(address);
    expect(second.list()).toMatchObject([{ address: '127.0.0.1:0', bound: formatAddress(address) }]);
  });
});

/** The backlog of a listening socket, which only netlink tells: `ss` asks it. */
function backlogOf(port: number): number {
  const state = execFileSync('ss', ['-Hltn', `sport = :${port}`]).toString();
  return Number(state.trim().split(/\s+/)[2]);
}

async function udpDescriptor(): Promise<number> {
  const table = new SocketTable();
  await udp(table, '127.0.0.1:0');
  return sys.dup(only(table.list()).fd);
}

async function tcpDescriptor(): Promise<number> {
  const table = new SocketTable();
  await listen(table, tcpEndpoint('127.0.0.1:0'));
  return sys.dup(only(table.list()).fd);
}

async function unixDescriptor(): Promise<number> {
  const table = new SocketTable();
  await listen(table, unixEndpoint(join(folder, 'other.sock')));
  return sys.dup(only(table.list()).fd);
}

describe('ServiceSockets and unix paths', () => {
  let path: string;
  let old: SocketTable;
  let next: SocketTable;
  let first: BoundListener;
  let second: BoundListener;
  beforeEach(async () => {
    path = join(folder, 's.sock');
    old = new SocketTable();
    first = only(await listen(old, unixEndpoint(path)));
    next = new SocketTable({ inherited: [handedOver(old.list()[0])] });
    second = only(await listen(next, unixEndpoint(path)));
  });

  test('a successor that gives up leaves the path to the predecessor', async () => {
    second.close();
    greet(first, 'first');
    expect(await greeting(first)).toBe('first');
  });

  test('after the hand-over the successor serves under the same path, and removes it at its end', async () => {
    old.handedOver();
    next.takenOver();
    first.close();
    expect(old.list()).toEqual([]);
    greet(second, 'second');
    expect(await greeting(second)).toBe('second');
    second.close();
    expect(readdirSync(folder)).toEqual([]);
  });

  test('a path that another server has by now is not removed', async () => {
    next.takenOver();
    rmSync(path);
    const stranger: Server = createServer().listen(path);
    await once(stranger, 'listening');
    cleanups.push(() => void stranger.close());
    second.close();
    expect(existsSync(path)).toBe(true);
  });

  test('the path of a socket of the service manager is never removed', async () => {
    const activated = { ...handedOver(old.list()[0]), service: '', activated: true } as const;
    const table = new SocketTable({ inherited: [activated] });
    table.takenOver();
    only(await listen(table, unixEndpoint(path))).close();
    expect(existsSync(path)).toBe(true);
  });
});

describe('ServiceSockets.adopt', () => {
  test('adopt listens on a further descriptor while the service runs', async () => {
    const left = new SocketTable();
    const crashed = only(await listen(left, tcpEndpoint('127.0.0.1:0')));
    const spare = handedOver(left.list()[0]);
    crashed.server.close();
    const table = new SocketTable();
    const sockets = socketsOf(table);
    const adopted = await sockets.adopt(tcpEndpoint('127.0.0.1:0'), spare, 1);
    cleanups.push(() => adopted.close());
    greet(adopted, 'sibling');
    expect(await greeting(adopted)).toBe('sibling');
    expect(adopted.record.fd).toBe(spare.fd);
    expect(table.list()).toEqual([]); // it is another thread's
    sockets.release(0);
    expect(adopted.server.listening).toBe(true);
    sockets.release(1);
    expect(adopted.server.listening).toBe(false);
  });
});

describe('ServiceSockets.udp', () => {
  const answering = ({ socket }: BoundDatagram, text: string): void => {
    socket.on('message', (_, { port, address }) => socket.send(text, port, address));
  };

  test.each([
    ['127.0.0.1:0', 'udp4'],
    ['[::1]:0', 'udp6'],
  ] as const)('udp: %s is bound, handed over and served', async (text, type) => {
    const old = new SocketTable();
    const first = await udp(old, text);
    expect(old.list()).toMatchObject([{ kind: 'udp', address: text, bound: formatAddress(first.address) }]);
    answering(first, 'first');
    expect(await ask(first.address, client(type))).toBe('first');
    const next = new SocketTable({ inherited: [handedOver(old.list()[0])] });
    const second = await udp(next, text);
    expect(second.address).toEqual(first.address);
    first.close();
    expect(old.list()).toEqual([]);
    answering(second, 'second');
    expect(await ask(second.address, client(type))).toBe('second');
  });

  test('udp: what several inherited descriptors receive arrives at one socket', async () => {
    const threads = [new SocketTable({ reusePort: true })];
    const { address } = await udp(threads[0] as SocketTable, '127.0.0.1:0');
    const resolved = { '127.0.0.1:0': formatAddress(address) };
    for (let index = 0; index < 3; index += 1) {
      const table = new SocketTable({ reusePort: true, resolved });
      threads.push(table);
      await udp(table, '127.0.0.1:0');
    }
    const inherited = threads.flatMap((table) => table.list()).map(handedOver);
    const next = new SocketTable({ inherited });
    const bound = await udp(next, '127.0.0.1:0');
    expect(next.list()).toHaveLength(4);
    for (const cleanup of cleanups.splice(0, 4)) cleanup(); // the predecessor's sockets
    answering(bound, 'all');
    for (let flow = 0; flow < 24; flow += 1) expect(await ask(address, client())).toBe('all');
    bound.close();
    expect(next.list()).toEqual([]);
  });

  test('udp: buffer sizes are set', async () => {
    const { socket } = await udp(new SocketTable(), '127.0.0.1:0', {
      receiveBufferBytes: 40_000,
      sendBufferBytes: 30_000,
    });
    // Linux doubles the number for its own bookkeeping.
    expect([40_000, 80_000]).toContain(socket.getRecvBufferSize());
    expect([30_000, 60_000]).toContain(socket.getSendBufferSize());
  });

  test('udp: an address in use is an error with a remedy', async () => {
    const { address } = await udp(new SocketTable(), '127.0.0.1:0');
    const text = formatAddress(address);
    const error = await errorOf(udp(new SocketTable(), text));
    expect(error.context).toContain(`cannot listen on ${text} (EADDRINUSE)`);
  });

  test('udp: with reusePort sockets of single clients share the address, a second server does not', async () => {
    const { address, socket } = await udp(new SocketTable(), '127.0.0.1:0', { reusePort: true });
    const text = formatAddress(address);
    const error = await errorOf(udp(new SocketTable(), text, { reusePort: true }));
    expect(error.context).toContain(`cannot listen on ${text} (EADDRINUSE)`);
    expect((await errorOf(probeUdp(text))).context).toContain('(EADDRINUSE)');
    expect(await checkUdp(text)).toEqual({ endpoint: text, outcome: 'in use' });
    const one = client();
    one.bind(0, '127.0.0.1');
    await once(one, 'listening');
    const own = createSocket({ type: 'udp4', reusePort: true });
    cleanups.push(() => own.close());
    own.bind({ ...address, address: address.host, exclusive: true });
    await once(own, 'listening');
    own.connect(one.address().port, '127.0.0.1');
    await once(own, 'connect');
    const heard: string[] = [];
    socket.on('message', () => heard.push('all'));
    own.on('message', () => heard.push('own'));
    one.send('?', address.port, address.host);
    await once(own, 'message');
    const other = client();
    other.send('?', address.port, address.host);
    await once(socket, 'message');
    expect(heard).toEqual(['own', 'all']);
  });

  test('udp: a wrong descriptor is an error that names it', async () => {
    const fd = openSync('/dev/null', 'r');
    const record = { service: 'dns', kind: 'udp', address: '127.0.0.1:53', bound: '127.0.0.1:53', fd } as const;
    const error = await errorOf(socketsOf(new SocketTable({ inherited: [record] }), 'dns').udp('127.0.0.1:53'));
    expect(error.context).toContain(
      `service dns: descriptor ${fd}, taken over for 127.0.0.1:53, is not a usable udp socket (`,
    );
    closeSync(fd);
  });

  test.each([
    ['/run/x.sock', {}, "a UDP address needs 'host:port'"],
    ['127.0.0.1:0', { reusePort: 'yes' }, 'reusePort must be true or false, got yes'],
    ['127.0.0.1:0', { ipv6Only: 1 }, 'ipv6Only must be true or false, got 1'],
    ['127.0.0.1:0', { receiveBufferBytes: 0 }, 'receiveBufferBytes must be a whole number of bytes from 1'],
    ['127.0.0.1:0', { sendBufferBytes: 1.5 }, 'sendBufferBytes must be a whole number of bytes from 1'],
  ])('udp: refuses %s with %j', async (address, options, message) => {
    await expect(udp(new SocketTable(), address, options)).rejects.toThrow(message);
  });
});

describe('probeUdp', () => {
  test.each(['127.0.0.1:0', '[::1]:0'])('probeUdp resolves port 0 of %s and leaves the port free', async (text) => {
    const address = await probeUdp(text);
    expect(address.port).toBeGreaterThan(0);
    const bound = await udp(new SocketTable(), formatAddress(address));
    expect(bound.address).toEqual(address);
    expect(await checkUdp('127.0.0.1:0')).toEqual({ endpoint: '127.0.0.1:0', outcome: 'ok' });
  });

  test('checkUdp says why an address cannot be used', async () => {
    const check = await checkUdp('192.0.2.1:53');
    expect(check).toMatchObject({ endpoint: '192.0.2.1:53', outcome: 'failed' });
    expect(check.reason).toContain('EADDRNOTAVAIL');
    await expect(checkUdp('/run/x.sock')).rejects.toThrow("a UDP address needs 'host:port'");
  });
});

describe('probeAddress', () => {
  test('probeAddress resolves port 0 and leaves the port free', async () => {
    const address = await probeAddress(tcpEndpoint('127.0.0.1:0'));
    const text = formatAddress(address);
    expect(text).not.toBe('127.0.0.1:0');
    only(await listen(new SocketTable({ reusePort: true }), tcpEndpoint(text)));
  });

  test('probeAddress sees a server that shares its port', async () => {
    const { address } = only(await listen(new SocketTable({ reusePort: true }), tcpEndpoint('127.0.0.1:0')));
    const error = await errorOf(probeAddress(tcpEndpoint(formatAddress(address)), { retry: false }));
    expect(error.context).toContain('(EADDRINUSE): something listens there already');
  });

  test('probeAddress sees a living unix socket and leaves nothing behind', async () => {
    const path = join(folder, 's.sock');
    expect(await probeAddress(unixEndpoint(path))).toEqual({ path });
    expect(readdirSync(folder)).toEqual([]);
    await listen(new SocketTable(), unixEndpoint(path));
    const error = await errorOf(probeAddress(unixEndpoint(path), { retry: false }));
    expect(error.context).toContain('(EADDRINUSE)');
  });
});
