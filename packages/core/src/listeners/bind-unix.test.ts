import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bind } from './bind.ts';
import { bindUnix, probeUnix } from './bind-unix.ts';
import type { BoundListener } from './bound-listener.ts';
import { MAX_UNIX_PATH_BYTES, unixEndpoint } from './endpoint.ts';

let folder: string;
let path: string;
const bound: BoundListener[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cirque-uds-'));
  path = join(folder, 's.sock');
});
afterEach(() => {
  for (const listener of bound.splice(0)) listener.close();
  rmSync(folder, { recursive: true });
});

async function listen(at: string = path, mode?: number): Promise<BoundListener> {
  const listener = await bind(unixEndpoint(at, mode === undefined ? {} : { mode }), { retry: false });
  bound.push(listener);
  return listener;
}

/** What a server says of itself when it is connected to. */
function greeting(): Promise<string> {
  return new Promise((resolve, reject) => {
    connect(path)
      .once('data', (chunk: Buffer) => resolve(chunk.toString()))
      .once('error', reject);
  });
}

function greet(listener: BoundListener, text: string): void {
  // A probe that only looks whether somebody answers may be gone before it is greeted.
  listener.server.on('connection', (socket) => socket.on('error', () => {}).end(text));
}

/** Leaves a socket file behind as a killed server does. */
async function leaveStaleFile(): Promise<void> {
  const listener = await listen();
  const { ino } = lstatSync(path);
  listener.server.close(); // not listener.close(): the path stays
  expect(lstatSync(path).ino).toBe(ino);
}

describe('bind of a unix socket', () => {
  test('bind makes the socket with its mode, under its name only', async () => {
    const listener = await listen(path, 0o600);
    expect(listener.address).toEqual({ path });
    expect(lstatSync(path).isSocket()).toBe(true);
    expect(lstatSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(['s.sock']);
    greet(listener, 'hello');
    expect(await greeting()).toBe('hello');
  });

  test('bind gives 0666 by default, whatever the umask', async () => {
    await listen();
    expect(lstatSync(path).mode & 0o777).toBe(0o666);
  });

  test('bind removes the path when it closes', async () => {
    (await listen()).close();
    expect(readdirSync(folder)).toEqual([]);
  });

  test('bind replaces a stale socket file', async () => {
    await leaveStaleFile();
    greet(await listen(), 'new');
    expect(await greeting()).toBe('new');
    expect(readdirSync(folder)).toEqual(['s.sock']);
  });

  test('bind leaves a living server its path', async () => {
    greet(await listen(), 'old');
    await expect(listen()).rejects.toThrow(
      `cannot listen on unix:${path} (EADDRINUSE): something listens there already`,
    );
    expect(await greeting()).toBe('old');
    expect(readdirSync(folder)).toEqual(['s.sock']);
  });

  test('bind refuses a file that is no socket, and leaves it', async () => {
    writeFileSync(path, 'precious');
    await expect(listen()).rejects.toThrow('(ENOTSOCK): a file that is not a socket is there');
    mkdirSync(join(folder, 'd'));
    await expect(listen(join(folder, 'd'))).rejects.toThrow('(ENOTSOCK)');
    expect(readdirSync(folder)).toEqual(['d', 's.sock']);
  });

  test('bind closing does not remove the path of a successor', async () => {
    const old = await listen();
    rmSync(path);
    greet(await listen(), 'successor');
    old.close();
    expect(await greeting()).toBe('successor');
  });

  test('bind closing survives a path that is gone', async () => {
    const listener = await listen();
    rmSync(path);
    listener.close();
    expect(listener.server.listening).toBe(false);
  });

  test('bind names a missing directory', async () => {
    await expect(listen(join(folder, 'no', 's.sock'))).rejects.toThrow(
      '(ENOENT): its directory does not exist; create it first',
    );
  });

  test('bind finds a temporary name also beside the longest path', async () => {
    const long = join(folder, 'x'.repeat(MAX_UNIX_PATH_BYTES - folder.length - 1));
    await listen(long);
    expect(existsSync(long)).toBe(true);
  });
});

test('bindUnix gives no file away that somebody has linked to in the place of its socket', async () => {
  const victim = join(folder, 'victim');
  writeFileSync(victim, '', { mode: 0o644 });
  const server = createServer();
  server.once('listening', () => {
    const temporary = readdirSync(folder).find((name) => name.startsWith('.')) ?? '';
    rmSync(join(folder, temporary));
    symlinkSync(victim, join(folder, temporary));
  });
  const before = statSync(victim);
  const place = { server, owner: process.getuid?.() === 0 ? 65_534 : (process.getuid?.() ?? 0) };
  await expect(bindUnix(unixEndpoint(path, { mode: 0o666 }), place)).rejects.toThrow(/somebody has replaced/);
  expect(statSync(victim)).toMatchObject({ uid: before.uid, mode: before.mode });
  expect(existsSync(path)).toBe(false);
});

describe('probeUnix', () => {
  test('probeUnix leaves nothing behind and touches nothing', async () => {
    await probeUnix(unixEndpoint(path));
    expect(readdirSync(folder)).toEqual([]);
    await leaveStaleFile();
    const { ino } = lstatSync(path);
    await probeUnix(unixEndpoint(path));
    expect(lstatSync(path).ino).toBe(ino);
    expect(readdirSync(folder)).toEqual(['s.sock']);
  });

  test('probeUnix fails as binding would', async () => {
    await listen();
    await expect(probeUnix(unixEndpoint(path))).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });
});
