import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { closeSync, fstatSync, openSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { descriptorOf, loadSys, type Sys } from '@cirque/sys';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { SocketKind, SocketRecord } from '../sockets/socket-record.ts';
import { SocketVault } from './socket-vault.ts';

const sys = loadSys();

async function listening(): Promise<{ server: Server; fd: number }> {
  const server = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  return { server, fd: descriptorOf(server) as number };
}

function vault(): SocketVault {
  const made = new SocketVault(sys);
  onTestFinished(() => made.close());
  return made;
}

const record = (fd: number, kind: SocketKind = 'tcp', address = '127.0.0.1:0'): SocketRecord => {
  return { service: 'site', kind, address, bound: address, fd };
};

const inode = ({ fd }: SocketRecord): number => fstatSync(fd).ino;

describe.skipIf(sys === undefined)('SocketVault', () => {
  test('keeps a second descriptor of each socket, whatever becomes of the first', async () => {
    const { server, fd } = await listening();
    const { ino } = fstatSync(fd);
    const kept = vault();
    kept.keep([record(fd)]);
    server.close();
    await once(server, 'close');
    expect(kept.sockets.map(inode)).toEqual([ino]);
  });

  test('adds what a later thread listens on beside the kept sockets, and keeps none twice', async () => {
    const [first, second] = [await listening(), await listening()];
    const kept = vault();
    kept.own([record((sys as Sys).dup(first.fd))]);
    kept.keep([record(first.fd), record(second.fd)]);
    kept.keep([record(second.fd), record(first.fd)]);
    expect(kept.sockets.map(inode)).toEqual([fstatSync(first.fd).ino, fstatSync(second.fd).ino]);
  });

  test('keeps UDP sockets', async () => {
    const socket = createSocket('udp4');
    onTestFinished(() => void socket.close());
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const kept = vault();
    kept.keep([record(descriptorOf(socket) as number, 'udp')]);
    expect(kept.sockets).toHaveLength(1);
  });

  test('passes over numbers of a dead thread: closed ones, and those that are a file or a connection by now', async () => {
    const { server, fd } = await listening();
    const client: Socket = connect((server.address() as { port: number }).port, '127.0.0.1');
    const [accepted] = (await once(server, 'connection')) as [Socket];
    onTestFinished(() => void client.destroy());
    onTestFinished(() => void accepted.destroy());
    const [closed, file] = [openSync('/dev/null', 'r'), openSync('/dev/null', 'r')];
    closeSync(closed);
    onTestFinished(() => closeSync(file));
    const kept = vault();
    kept.keep([record(closed), record(file), record(descriptorOf(accepted) as number), record(fd, 'udp'), record(fd)]);
    expect(kept.sockets.map(inode)).toEqual([fstatSync(fd).ino]);
  });

  test('keeps nothing once it is closed', async () => {
    const { fd } = await listening();
    const kept = vault();
    kept.close();
    kept.keep([record(fd)]);
    expect(kept.sockets).toEqual([]);
  });

  test('keepOnly closes what the thread does not listen on any more', async () => {
    const [first, second, third] = [await listening(), await listening(), await listening()];
    const kept = vault();
    expect(kept.keep([record(first.fd), record(second.fd)])).toBe(true);
    const [gone, stays] = [kept.sockets[0]?.fd ?? -1, kept.sockets[1]];
    kept.keepOnly([record(second.fd), record(third.fd)]);
    expect(kept.sockets.map(inode)).toEqual([fstatSync(second.fd).ino, fstatSync(third.fd).ino]);
    expect(kept.sockets[0]).toBe(stays);
    expect(() => fstatSync(gone)).toThrow('EBADF');
  });

  test('keepOnly knows a socket by its address, too: a number may have become that of another one', async () => {
    const { fd } = await listening();
    const kept = vault();
    kept.keep([record(fd, 'tcp', '127.0.0.1:1')]);
    kept.keepOnly([record(fd, 'tcp', '127.0.0.1:2')]);
    expect(kept.sockets.map(({ address }) => address)).toEqual(['127.0.0.1:2']);
  });

  test('keepOnly closes nothing of a thread that has died meanwhile', async () => {
    const { server, fd } = await listening();
    const kept = vault();
    kept.keep([record(fd)]);
    const closed = openSync('/dev/null', 'r');
    closeSync(closed);
    kept.keepOnly([record(closed)]);
    expect(kept.sockets.map(inode)).toEqual([fstatSync(fd).ino]);
    expect(server.listening).toBe(true);
  });

  test('drop closes what nobody wants', async () => {
    const [first, second] = [await listening(), await listening()];
    const kept = vault();
    kept.keep([record(first.fd, 'tcp', '127.0.0.1:1'), record(second.fd, 'tcp', '127.0.0.1:2')]);
    const gone = kept.sockets[0]?.fd ?? -1;
    kept.drop(({ address }) => address === '127.0.0.1:1');
    expect(kept.sockets.map(({ address }) => address)).toEqual(['127.0.0.1:2']);
    expect(() => fstatSync(gone)).toThrow('EBADF');
  });
});
