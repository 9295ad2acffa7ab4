import { chmodSync, chownSync, closeSync, existsSync, fstatSync, openSync, readdirSync, statSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadSys, type Sys } from '@cirque/sys';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Logger } from '../src/logger.ts';
import type { SocketRecord } from '../src/sockets/socket-record.ts';
import { encodeFrame } from '../src/upgrade/frame.ts';
import type { Handover } from '../src/upgrade/handover.ts';
import { receiveHandover } from '../src/upgrade/receive-handover.ts';
import { sendDescriptors } from '../src/upgrade/send-descriptors.ts';
import { sendHandover } from '../src/upgrade/send-handover.ts';
import { UpgradeChannel } from '../src/upgrade/upgrade-channel.ts';
import { UpgradeSite } from './upgrade-site.ts';

const LIMIT = { timeout: 40_000 };
const sys = loadSys() as Sys; // koffi is there where the runtime has nothing
const own = process.getuid?.() ?? 0;
const hello = { type: 'hello', protocol: 1, version: '9.9.9', pid: process.pid, native: true } as const;

let site: UpgradeSite;
let stop: AbortController;
let lines: string[];
const open: (() => void)[] = [];

beforeEach(() => {
  site = new UpgradeSite();
  stop = new AbortController();
  lines = [];
});
afterEach(() => {
  stop.abort();
  for (const close of open.splice(0)) close();
  site.close();
});

const note = (facts: object | string, text?: string): void => void lines.push(JSON.stringify([facts, text]));
const logger: Logger = { debug: note, info: note, warn: note, error: note };

interface Overrides {
  readonly attempts?: number;
  readonly uids?: readonly number[];
  readonly sys?: Sys | undefined;
}

/** A new process in this one, which waits. */
function receive(overrides: Overrides = {}): {
  readonly listening: Promise<void>;
  readonly outcome: Promise<Handover>;
} {
  const listening = Promise.withResolvers<void>();
  const common = { path: site.path, attempts: 100, retryMs: 100, uids: [own], logger, signal: stop.signal, sys };
  const outcome = receiveHandover({ ...common, ...overrides, onListening: () => listening.resolve() });
  outcome.catch(listening.reject);
  return { listening: listening.promise, outcome: outcome as Promise<Handover> };
}

/** An old process in this one. */
function send(sockets: readonly SocketRecord[], overrides: Overrides & { readonly readyTimeoutMs?: number } = {}) {
  const common = { path: site.path, attempts: 100, retryMs: 100, uids: [own], logger, signal: stop.signal, sys };
  const state = { ticketKeys: 'c2VjcmV0' };
  return sendHandover({
    ...common,
    readyTimeoutMs: 10_000,
    sockets,
    state,
    respawn: { detached: false },
    ...overrides,
  });
}

/** A record with a descriptor that is open until the test ends. */
function record(index = 0): SocketRecord {
  const fd = openSync('/dev/null', 'r');
  open.push(() => closeSync(fd));
  const address = `127.0.0.1:${1_000 + index}`;
  return { service: 'web', kind: 'tcp', address, bound: address, fd };
}

/** A process that takes connections on the upgrade socket and does what it likes. */
async function fakeSuccessor(behave: (socket: Socket) => void): Promise<void> {
  const server: Server = createServer((socket) => {
    socket.on('error', () => {});
    behave(socket);
  });
  server.listen(site.path);
  open.push(() => void server.close());
  await new Promise((resolve) => server.once('listening', resolve));
}

/** A connection to the upgrade socket that says what it likes. */
async function fakePredecessor(): Promise<Socket> {
  const socket = connect(site.path);
  open.push(() => void socket.destroy());
  socket.on('error', () => {});
  await new Promise((resolve) => socket.once('connect', resolve));
  return socket;
}

/** Waits until no more than so many descriptors are open: closing takes a turn of the event loop. */
async function expectDescriptors(most: number): Promise<void> {
  for (let round = 0; round < 200 && descriptorCount() > most; round += 1) await sleep(10);
  expect(descriptorCount()).toBeLessThanOrEqual(most);
}

function descriptorCount(): number {
  return readdirSync('/proc/self/fd').length;
}

async function reasonOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof Error) return error.message;
  throw new Error('expected a failure');
}

describe('hand-over within one process', LIMIT, () => {
  test.each([0, 1, 127, 128, 129, 300])('%i descriptors arrive in order, with state', async (count) => {
    const sockets = Array.from({ length: count }, (_, index) => record(index));
    const { outcome } = receive();
    const sent = send(sockets);
    const handover = await outcome;
    for (const { fd } of handover.sockets) open.push(() => closeSync(fd));
    expect(handover.sockets.map(({ address }) => address)).toEqual(sockets.map(({ address }) => address));
    for (const [index, { fd }] of handover.sockets.entries()) {
      expect(fd).not.toBe(sockets[index]?.fd);
      expect(fstatSync(fd).isCharacterDevice()).toBe(true);
    }
    expect(handover.state).toEqual({ ticketKeys: 'c2VjcmV0' });
    expect(handover.predecessorPid).toBe(process.pid);
    await handover.ready();
    expect(await sent).toEqual({ pid: process.pid });
    expect(handover.abandoned.aborted).toBe(false);
    expect(lines.join('\n')).not.toContain('c2VjcmV0');
    expect(existsSync(site.path)).toBe(false);
  });

  test('the same descriptor twice arrives as two', async () => {
    const socket = record();
    const { outcome } = receive();
    const sent = send([socket, socket]);
    const { sockets, ready } = await outcome.then((handover) => ({
      sockets: handover.sockets,
      ready: () => handover.ready(),
    }));
    for (const { fd } of sockets) open.push(() => closeSync(fd));
    expect(new Set(sockets.map(({ fd }) => fd)).size).toBe(2);
    await ready();
    await sent;
  });

  test('nothing stays open, however it ends', async () => {
    const sockets = [record(0), record(1)];
    const attempt = async (end: (handover: Handover) => Promise<void> | void): Promise<void> => {
      const { outcome } = receive();
      const sent = send(sockets, { readyTimeoutMs: 300 }).catch(() => {});
      const handover = await outcome;
      await end(handover);
      await sent;
      for (const { fd } of handover.sockets) closeSync(fd);
    };
    await attempt((handover) => handover.ready());
    const before = descriptorCount() + 1; // what a library opens once is open now
    await attempt((handover) => handover.ready());
    await attempt((handover) => handover.close());
    await attempt(() => sleep(500));
    await expectDescriptors(before);
  });

  test('close without ready: the predecessor goes on', async () => {
    const { outcome } = receive();
    const sent = send([]);
    (await outcome).close();
    expect(await reasonOf(sent)).toContain('no successor: the other process has closed the connection');
  });

  test('a predecessor that does not wait any longer abandons the successor, and ready fails', async () => {
    const { outcome } = receive();
    const sent = send([], { readyTimeoutMs: 200 });
    const handover = await outcome;
    const abandoned = new Promise((resolve) => handover.abandoned.addEventListener('abort', resolve));
    expect(await reasonOf(sent)).toContain('the successor was not ready within 0.2 seconds');
    await abandoned;
    expect(await reasonOf(handover.ready())).toContain('the predecessor goes on serving');
  });

  test('the old side may be stopped while it waits, and the new side too', async () => {
    const { outcome } = receive();
    const sent = send([]);
    const handover = await outcome;
    stop.abort();
    expect(await reasonOf(sent)).toContain('the upgrade was stopped');
    expect(await reasonOf(handover.ready())).toContain('the predecessor goes on serving');
    stop = new AbortController();
    const waiting = receive();
    await waiting.listening;
    stop.abort();
    expect(await reasonOf(waiting.outcome)).toContain('the upgrade was stopped');
    expect(existsSync(site.path)).toBe(false);
  });

  test('more sockets or state than a hand-over takes are refused before anything is sent', async () => {
    const socket = record();
    expect(await reasonOf(send(Array.from({ length: 16_385 }, () => socket)))).toContain('16384 can be handed over');
    const { outcome } = receive();
    const long = 'x'.repeat(4_096);
    const sockets = Array.from({ length: 2_100 }, () => ({ ...socket, service: long }));
    expect(await reasonOf(send(sockets))).toMatch(/what is handed over has \d+ bytes; 8388608 are allowed/);
    expect(await reasonOf(outcome)).toContain('the other process refused: what is handed over has');
  });

  test('a large table arrives whole', async () => {
    const socket = record();
    const sockets = Array.from({ length: 700 }, () => ({ ...socket, service: 'y'.repeat(4_000) }));
    const { outcome } = receive();
    const sent = send(sockets);
    const handover = await outcome;
    for (const { fd } of handover.sockets) open.push(() => closeSync(fd));
    expect(handover.sockets).toHaveLength(700);
    await handover.ready();
    await sent;
  });
});

describe('an old process before an odd new one', LIMIT, () => {
  test.each<[string, (socket: Socket) => void, RegExp]>([
    ['garbage', (socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'), /does not speak the upgrade protocol/],
    ['no JSON', (socket) => socket.write('\0\0\0\u0004oops'), /does not speak the upgrade protocol \(a frame that/],
    ['no message', (socket) => socket.write(encodeFrame([])), /does not speak the upgrade protocol \(no message/],
    ['a wrong hello', (socket) => socket.write(encodeFrame({ ...hello, pid: 'x' })), /that is not valid \(hello\)/],
    ['another message', (socket) => socket.write(encodeFrame({ type: 'ready' })), /sent no hello, but .* type ready/],
    ['nothing', () => {}, /the other process sent no hello within 5 seconds/],
    ['goodbye', (socket) => socket.end(), /the other process has closed the connection/],
    ['a refusal', (socket) => socket.write(encodeFrame({ type: 'refuse', reason: 'no!' })), /refused: no!/],
    [
      'goodbye after the table',
      (socket) => {
        socket.write(encodeFrame(hello));
        let heard = '';
        socket.on('data', (bytes: Buffer) => {
          heard += bytes.toString();
          if (heard.includes('"table"')) socket.destroy();
        });
      },
      /the other process has closed the connection|EPIPE|ECONNRESET/,
    ],
  ])('%s', async (_, behave, reason) => {
    await fakeSuccessor(behave);
    const before = descriptorCount();
    const text = await reasonOf(send([record()], { readyTimeoutMs: 1_000 }));
    expect(text).toMatch(reason);
    expect(text).toContain('this process goes on serving');
    await expectDescriptors(before + 2); // the record, and the fake's end until it notices
  });

  test('protocol 2: a sentence that names both, on both sides', async () => {
    const heard: Buffer[] = [];
    await fakeSuccessor((socket) => {
      socket.write(encodeFrame({ ...hello, protocol: 2 }));
      socket.on('data', (bytes: Buffer) => heard.push(bytes));
    });
    const text = await reasonOf(send([record()]));
    expect(text).toMatch(
      /upgrade protocol 1 \(Cirque [^)]+\) and upgrade protocol 2 \(Cirque 9\.9\.9, process \d+\) do not/,
    );
    await expect.poll(() => Buffer.concat(heard).toString()).toContain('"type":"refuse","reason":"upgrade protocol 1');
  });
});

describe('a new process before an odd old one', LIMIT, () => {
  test('garbage, silence and passers-by do not end the waiting', async () => {
    const { listening, outcome } = receive();
    await listening;
    (await fakePredecessor()).end();
    (await fakePredecessor()).write('GET / HTTP/1.1\r\n\r\n');
    await fakePredecessor(); // says nothing
    const sent = send([]);
    const handover = await outcome;
    await handover.ready();
    await sent;
    expect(lines.join('\n')).toContain('a connection to the upgrade socket came to nothing: the other side does not');
  });

  test('protocol 2: a sentence that names both', async () => {
    const { listening, outcome } = receive();
    await listening;
    (await fakePredecessor()).write(encodeFrame({ ...hello, protocol: 2 }));
    expect(await reasonOf(outcome)).toMatch(/upgrade protocol 1 .* and upgrade protocol 2 .* do not go together/);
    expect(existsSync(site.path)).toBe(false);
  });

  test.each<[string, (channel: UpgradeChannel) => Promise<void>, RegExp]>([
    [
      'dies in the middle of the table',
      async (channel) => channel.close(),
      /the other process has closed the connection/,
    ],
    [
      'dies between the descriptors',
      async (channel) => {
        await channel.send({ type: 'table', sockets: [record(), record(), record()], state: {} });
        await sendDescriptors(channel, sys, [record().fd, record().fd]);
        channel.close();
      },
      /the other process has closed the connection/,
    ],
    [
      'announces more than it sends',
      async (channel) => {
        await channel.send({ type: 'table', sockets: [record(), record()], state: {} });
        await sendDescriptors(channel, sys, [record().fd]);
        await channel.send({ type: 'descriptors', count: 1 });
      },
      /announced 2 sockets and sent 1/,
    ],
    [
      'sends more than it announces',
      async (channel) => {
        await channel.send({ type: 'table', sockets: [record()], state: {} });
        await sendDescriptors(channel, sys, [record().fd, record().fd]);
      },
      /announced 1 sockets and sent 2/,
    ],
    [
      'sends a table that is not valid',
      async (channel) => {
        const socket = { ...record(), kind: 'sctp' as 'tcp' };
        await channel.send({ type: 'table', sockets: [socket], state: {} });
      },
      /that is not valid \(table\)/,
    ],
  ])('an old one that %s: every descriptor is closed', async (_, behave, reason) => {
    const { listening, outcome } = receive();
    await listening;
    const channel = new UpgradeChannel(await fakePredecessor());
    await channel.send(hello);
    await channel.receive(['hello'], 5_000, 'no hello');
    const before = descriptorCount();
    const recordsBefore = open.length;
    await behave(channel);
    expect(await reasonOf(outcome)).toMatch(reason);
    channel.close();
    await expectDescriptors(before + (open.length - recordsBefore));
  });
});

describe.runIf(own === 0)('another user', LIMIT, () => {
  const nobody = 65_534;

  test('the old process refuses a new one of another user, naming both', async () => {
    const stranger = site.start(['-u', '--uids', `0,${nobody}`], {}, nobody);
    await stranger.prints(/ waiting\n/);
    const text = await reasonOf(send([record()], { attempts: 1 }));
    expect(text).toContain(`upgrade_sock: ${site.path} belongs to user ${nobody}; only user 0 may take part`);
    expect(text).toContain('this process goes on serving');
  });

  test('the old process refuses another user also when the file belongs to the right one', async () => {
    const stranger = site.start(['-u', '--uids', `0,${nobody}`], {}, nobody);
    await stranger.prints(/ waiting\n/);
    chownSync(site.path, 0, 0);
    const text = await reasonOf(send([record()], { attempts: 1 }));
    expect(text).toContain(`the other process belongs to user ${nobody}; only user 0 may take part`);
    await stranger.ended();
    expect(stranger.out).toContain('the other process refused: the other process belongs to user 65534');
  });

  test('the new process refuses an old one of another user, and waits on', async () => {
    const { listening, outcome } = receive({ uids: [own] });
    await listening;
    chmodSync(site.path, 0o666);
    const stranger = site.start(['--listen', '127.0.0.1:0', '--uids', `0,${nobody}`, '--attempts', '3'], {}, nobody);
    await stranger.running();
    stranger.kill('SIGQUIT');
    expect(await stranger.failure()).toContain('the other process refused: the other process belongs to user 65534');
    await expect.poll(() => lines.join('\n')).toContain('belongs to user 65534; only user 0 may take part');
    const sent = send([]);
    await (await outcome).ready();
    await sent;
  });

  test('a new process of root gives the socket file to the user the server runs as', async () => {
    const { listening, outcome } = receive({ uids: [0, nobody] });
    outcome.catch(() => {});
    await listening;
    expect(statSync(site.path)).toMatchObject({ uid: nobody });
    const dropped = site.start(['--listen', '127.0.0.1:0', '--uids', `0,${nobody}`], {}, nobody);
    await dropped.running();
    dropped.kill('SIGQUIT');
    const handover = await outcome;
    for (const { fd } of handover.sockets) open.push(() => closeSync(fd));
    await handover.ready();
    expect(await dropped.exitCode()).toBe(0);
  });
});

test('the path of the upgrade socket is gone when a wait has ended without anybody', async () => {
  const { outcome } = receive({ attempts: 2 });
  expect(await reasonOf(outcome)).toContain(
    `no predecessor came to ${join(site.folder, 'upgrade.sock')} within 0.2 seconds`,
  );
  expect(readdirSync(site.folder)).toEqual([]);
});
