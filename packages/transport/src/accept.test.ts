import { readFileSync } from 'node:fs';
import net, { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { CirqueError } from '@cirque/error';
import { LeakCheck } from '@cirque/testing';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { AcceptOptions, acceptStreams as AcceptStreams } from './accept.ts';
import { sharedReadBuffer } from './read-buffer.ts';
import type { Stream } from './stream.ts';

const until = { timeout: 5_000, interval: 2 };

let check: LeakCheck;
const open: (Server | Socket)[] = [];

beforeEach(() => {
  check = LeakCheck.start();
});
afterEach(async () => {
  vi.doUnmock('node:net');
  vi.resetModules();
  for (const one of open.splice(0)) {
    if ('destroy' in one) one.destroy();
    else one.close();
  }
  await check.assertClean();
});

/** The module as it is after a fresh import: what it has found out about the runtime is forgotten. */
async function fresh(): Promise<typeof AcceptStreams> {
  vi.resetModules();
  return (await import('./accept.ts')).acceptStreams;
}

async function listening(): Promise<{ server: Server; port: number }> {
  const server = createServer();
  open.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, port: (server.address() as AddressInfo).port };
}

function client(port: number): Socket {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  open.push(socket);
  return socket;
}

/** Echoes one line, and says into which buffer it was read. */
function echo(stream: Stream, buffers: Buffer[]): void {
  open.push(stream.duplex as Socket);
  stream.start({
    onRead(buffer, length) {
      buffers.push(buffer);
      stream.writeLatin1(buffer.toString('latin1', 0, length));
    },
    onReadEnd: () => stream.end(),
    onDrain() {},
    onClose() {},
  });
}

async function conversation(acceptStreams: typeof AcceptStreams, options: AcceptOptions = {}): Promise<Buffer[]> {
  const { server, port } = await listening();
  const buffers: Buffer[] = [];
  const errors: unknown[] = [];
  acceptStreams(
    server,
    options,
    (stream) => echo(stream, buffers),
    (error) => errors.push(error),
  );
  for (let i = 0; i < 3; i += 1) {
    const socket = client(port);
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    socket.end(`hello ${i}`);
    await vi.waitFor(() => expect(socket.closed).toBe(true), until);
    expect(answer).toBe(`hello ${i}`);
  }
  expect(errors).toEqual([]);
  return buffers;
}

describe('acceptStreams', () => {
  test('acceptStreams reads into the shared buffer where the runtime allows it, and all supported ones do', async () => {
    const acceptStreams = await fresh();
    // The fresh modules have a buffer of their own.
    const { sharedReadBuffer: own } = await import('./read-buffer.ts');
    const buffers = await conversation(acceptStreams);
    expect(buffers).toHaveLength(3);
    for (const buffer of buffers) expect(buffer).toBe(own);
  });

  test('acceptStreams leaves reading to Node for a duplex', async () => {
    const buffers = await conversation(await fresh(), { reads: 'duplex' });
    expect(buffers).toHaveLength(3);
    for (const buffer of buffers) expect(buffer.length).toBeLessThan(100);
  });

  const RUNTIMES: [string, (options: net.SocketConstructorOpts) => net.SocketConstructorOpts][] = [
    ['ignores onread', ({ onread: _, ...options }) => options],
    ['ignores the handle', (options) => ({ ...options, handle: undefined }) as net.SocketConstructorOpts],
    [
      'refuses the handle',
      () => {
        throw new TypeError('unknown option');
      },
    ],
  ];
  test.each(RUNTIMES)('acceptStreams goes without callbacks on a runtime that %s', async (_, change) => {
    class OtherSocket extends net.Socket {
      constructor(options: net.SocketConstructorOpts) {
        super(change(options));
      }
    }
    vi.doMock('node:net', () => ({ ...net, default: net, Socket: OtherSocket }));
    const buffers = await conversation(await fresh());
    expect(buffers).toHaveLength(3);
    for (const buffer of buffers) expect(buffer).not.toBe(sharedReadBuffer);
    for (const buffer of buffers) expect(buffer.length).toBeLessThan(100);
  });

  test('acceptStreams goes without callbacks when the handle of the server is out of reach', async () => {
    const { server, port } = await listening();
    const handle = (server as unknown as { _handle: unknown })._handle;
    (server as unknown as { _handle: unknown })._handle = null;
    const acceptStreams = await fresh();
    const buffers: Buffer[] = [];
    acceptStreams(
      server,
      {},
      (stream) => echo(stream, buffers),
      () => {},
    );
    (server as unknown as { _handle: unknown })._handle = handle;
    client(port).end('x');
    await vi.waitFor(() => expect(buffers).toHaveLength(1), until);
  });

  test('acceptStreams reports accepts that failed, and goes on', async () => {
    const acceptStreams = await fresh();
    const { server, port } = await listening();
    const errors: CirqueError[] = [];
    const buffers: Buffer[] = [];
    acceptStreams(
      server,
      {},
      (stream) => echo(stream, buffers),
      (error) => errors.push(error),
    );
    const handle = (server as unknown as { _handle: { onconnection(status: number, client?: object): void } })._handle;
    handle.onconnection(-24);
    expect(errors).toHaveLength(1);
    expect(errors[0]).toBeInstanceOf(CirqueError);
    expect(errors[0]).toMatchObject({ type: 'AcceptError', source: 'Internal', cause: { code: 'EMFILE', errno: -24 } });
    client(port).end('x');
    await vi.waitFor(() => expect(buffers).toHaveLength(1), until);
  });

  test('acceptStreams applies its socket options to the system, in both forms', async () => {
    const acceptStreams = await fresh();
    for (const reads of ['callback', 'duplex'] as const) {
      const { server, port } = await listening();
      const streams: Stream[] = [];
      acceptStreams(
        server,
        { reads, keepAlive: { idleMs: 77_000 } },
        (stream) => streams.push(stream),
        () => {},
      );
      client(port);
      await vi.waitFor(() => expect(streams).toHaveLength(1), until);
      const socket = streams[0]?.duplex as Socket;
      open.push(socket);
      expect(socket.allowHalfOpen).toBe(true);
      if (process.platform !== 'linux') continue;
      // The kernel shows the timer of a connection: kind 2 is keep-alive, then its time in hundredths of a second.
      const local = port.toString(16).toUpperCase().padStart(4, '0');
      const remote = (socket.remotePort as number).toString(16).toUpperCase().padStart(4, '0');
      const line = readFileSync('/proc/net/tcp', 'utf8')
        .split('\n')
        .find((one) => one.includes(`:${local} `) && one.includes(`:${remote} 01 `));
      const timer = /^\s*\d+: \S+ \S+ 01 \S+ (\d\d):([0-9A-F]+) /.exec(line ?? '');
      expect(timer?.[1]).toBe('02');
      expect(Number.parseInt(timer?.[2] as string, 16)).toBeGreaterThan(7_500);
      expect(Number.parseInt(timer?.[2] as string, 16)).toBeLessThanOrEqual(7_700);
    }
  });

  test('acceptStreams is not counted by the server, which closes at once', async () => {
    const acceptStreams = await fresh();
    const { server, port } = await listening();
    const streams: Stream[] = [];
    acceptStreams(
      server,
      {},
      (stream) => streams.push(stream),
      () => {},
    );
    client(port);
    await vi.waitFor(() => expect(streams).toHaveLength(1), until);
    open.push(streams[0]?.duplex as Socket);
    await new Promise((resolve) => server.close(resolve));
    expect(streams[0]?.destroyed).toBe(false);
  });
});

test.each([
  ['callback', 'callback'],
  ['callback', 'duplex'],
  ['duplex', 'callback'],
] as const)('acceptStreams gives its place to another one: %s reads, then %s', async (before, after) => {
  const acceptStreams = await fresh();
  const { server, port } = await listening();
  const came: string[] = [];
  const serve = (name: string, reads: 'callback' | 'duplex'): (() => void) =>
    acceptStreams(
      server,
      { reads },
      (stream) => {
        open.push(stream.duplex as Socket);
        came.push(name);
      },
      () => {},
    );
  const endFirst = serve('first', before);
  client(port);
  await vi.waitFor(() => expect(came).toEqual(['first']), until);
  endFirst();
  const endSecond = serve('second', after);
  client(port);
  await vi.waitFor(() => expect(came).toEqual(['first', 'second']), until);
  endSecond();
  serve('first again', before);
  client(port);
  await vi.waitFor(() => expect(came).toEqual(['first', 'second', 'first again']), until);
});

test.each(['callback', 'duplex'] as const)(
  'acceptStreams closes what is above maxDescriptor, %s reads',
  async (reads) => {
    const acceptStreams = await fresh();
    const { server, port } = await listening();
    const [streams, errors]: [Stream[], CirqueError[]] = [[], []];
    acceptStreams(
      server,
      { reads, maxDescriptor: 2 },
      (stream) => streams.push(stream),
      (error) => errors.push(error),
    );
    const socket = client(port);
    await new Promise((resolve) => socket.once('close', resolve).resume());
    expect(streams).toEqual([]);
    expect(errors.map(({ type, message }) => [type, message])).toEqual([
      ['AcceptError', expect.stringMatching(/descriptors above 2 are kept free/)],
    ]);
  },
);
