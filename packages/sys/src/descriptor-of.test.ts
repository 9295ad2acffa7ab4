import dgram from 'node:dgram';
import { once } from 'node:events';
import { fstatSync, readlinkSync } from 'node:fs';
import net from 'node:net';
import tls from 'node:tls';
import { expect, test, vi } from 'vitest';
import { descriptorOf } from './descriptor-of.ts';
import { loadSys } from './load-sys.ts';

const isSocket = (descriptor: number | undefined) => fstatSync(descriptor as number).isSocket();

test('descriptorOf a net.Server and the sockets of a connection: three sockets', async () => {
  const server = net.createServer();
  expect(descriptorOf(server)).toBeUndefined();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = net.connect((server.address() as net.AddressInfo).port, '127.0.0.1');
  const [accepted] = (await once(server, 'connection')) as [net.Socket];
  if (client.connecting) await once(client, 'connect');
  const descriptors = [descriptorOf(server), descriptorOf(client), descriptorOf(accepted)];
  expect(descriptors.map(isSocket)).toEqual([true, true, true]);
  expect(new Set(descriptors.map((fd) => readlinkSync(`/proc/self/fd/${fd}`))).size).toBe(3);

  client.destroy();
  accepted.destroy();
  server.close();
  expect([descriptorOf(server), descriptorOf(client), descriptorOf(accepted)]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});

test('descriptorOf a server on an adopted descriptor is that number', async () => {
  const first = net.createServer().listen(0, '127.0.0.1');
  await once(first, 'listening');
  const copy = loadSys()?.dup(descriptorOf(first) as number) as number;
  const second = net.createServer().listen({ fd: copy });
  await once(second, 'listening');
  expect(descriptorOf(second)).toBe(copy);
  expect(second.address()).toEqual(first.address());
  first.close();
  second.close();
});

test('descriptorOf a dgram socket is known once it is bound, and asking for it warns of nothing', async () => {
  const warned = vi.spyOn(process, 'emitWarning');
  const socket = dgram.createSocket('udp4');
  expect(descriptorOf(socket)).toBeUndefined();
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  expect(isSocket(descriptorOf(socket))).toBe(true);
  socket.close();
  expect(descriptorOf(socket)).toBeUndefined();
  expect(warned).not.toHaveBeenCalled();
  warned.mockRestore();
});

test('descriptorOf a TLSSocket is the one of the connection below', async () => {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = net.connect((server.address() as net.AddressInfo).port, '127.0.0.1');
  const [[accepted]] = (await Promise.all([once(server, 'connection'), once(client, 'connect')])) as [[net.Socket], []];
  const secure = new tls.TLSSocket(client);
  expect(isSocket(descriptorOf(secure))).toBe(true);
  expect(descriptorOf(secure)).toBe(descriptorOf(client));
  secure.destroy();
  accepted.destroy();
  server.close();
});

test('descriptorOf a socket that was never connected', () => {
  expect(descriptorOf(new net.Socket())).toBeUndefined();
});
