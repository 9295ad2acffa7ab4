import { createServer } from 'node:net';
import type { CirqueError } from '@cirque/error';
import { LeakCheck, TestOrigin } from '@cirque/testing';
import type { Stream } from '@cirque/transport';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { HttpPeer } from '../src/peer.ts';
import type { BindTo } from '../src/tcp-peer-options.ts';
import { TransportConnector } from '../src/transport-connector.ts';
import { closeAll, closeLater } from './closing.ts';

let leaks: LeakCheck;
beforeEach(() => {
  leaks = LeakCheck.start();
});
afterEach(async () => {
  await closeAll();
  await leaks.assertClean();
});

/** An address of this machine that no other test uses: all its ports are free. */
let lastAddress = 0;
function ownAddress(): string {
  lastAddress += 1;
  return `127.${1 + (process.pid % 250)}.${(process.pid >> 8) % 256}.${lastAddress}`;
}

async function openOrigin(): Promise<TestOrigin> {
  const origin = await TestOrigin.listen([]);
  closeLater(() => origin.close());
  return origin;
}

async function open(connector: TransportConnector, origin: TestOrigin, bindTo: BindTo): Promise<Stream> {
  const stream = await connector.newStream(new HttpPeer(origin.address, { bindTo }));
  closeLater(() => stream.destroy());
  return stream;
}

async function portOf(stream: Promise<Stream>): Promise<number> {
  return (await stream).digest.socket.localPort as number;
}

/** Has other programs listen on ports, so that they are taken. */
async function occupy(host: string, ports: readonly number[]): Promise<void> {
  for (const port of ports) {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(port, host, resolve));
    closeLater(() => new Promise((resolve) => server.close(resolve)));
  }
}

/** Begins with the first port of a range whose size divides 65,536. */
const first = { random: (): number => 0 };

test('SourcePorts: connections come from the address and the ports, in turn, until none is free', async () => {
  const address = ownAddress();
  const origin = await openOrigin();
  const connector = new TransportConnector(first);
  const bindTo = { address, portRange: { from: 41_000, to: 41_002 } };
  const streams = [await open(connector, origin, bindTo), await open(connector, origin, bindTo)];
  streams.push(await open(connector, origin, bindTo));
  expect(streams.map(({ digest }) => digest.socket.localPort)).toEqual([41_000, 41_001, 41_002]);
  expect(streams.map(({ digest }) => digest.socket.localAddress)).toEqual([address, address, address]);
  const error = (await open(connector, origin, bindTo).catch((reason: unknown) => reason)) as CirqueError;
  expect(error).toMatchObject({ type: 'BindError', source: 'Upstream' });
  expect(error.context).toBe(`no port is free from 41000 to 41002 of ${address}: 3 were tried`);
});

test('SourcePorts: with fallback any port of the address will do when those of the range are in use', async () => {
  const address = ownAddress();
  const origin = await openOrigin();
  const connector = new TransportConnector(first);
  await occupy(address, [41_000]);
  const bindTo = { address, portRange: { from: 41_000, to: 41_000 }, fallback: true };
  const stream = await open(connector, origin, bindTo);
  expect(stream.digest.socket.localAddress).toBe(address);
  expect(stream.digest.socket.localPort).not.toBe(41_000);
});

test('SourcePorts: with fallback an address that is not there is left out', async () => {
  const origin = await openOrigin();
  const bindTo = { address: '192.0.2.1', portRange: { from: 41_000, to: 41_999 }, fallback: true };
  const stream = await open(new TransportConnector(first), origin, bindTo);
  expect(stream.digest.socket.localAddress).toBe('127.0.0.1');
});

test('SourcePorts: an address that is not there is one attempt, not one for each port', async () => {
  const origin = await openOrigin();
  const bindTo = { address: '192.0.2.1', portRange: { from: 41_000, to: 41_999 } };
  const attempt = open(new TransportConnector(first), origin, bindTo);
  await expect(attempt).rejects.toMatchObject({ type: 'BindError', cause: { code: 'EADDRNOTAVAIL', syscall: 'bind' } });
});

test('SourcePorts: a port that is in use for one upstream serves another', async () => {
  const address = ownAddress();
  const connector = new TransportConnector(first);
  const bindTo = { address, portRange: { from: 41_000, to: 41_000 } };
  expect(await portOf(open(connector, await openOrigin(), bindTo))).toBe(41_000);
  expect(await portOf(open(connector, await openOrigin(), bindTo))).toBe(41_000);
});

test('SourcePorts: 128 ports are tried, and the next connection goes on behind them', async () => {
  const address = ownAddress();
  const origin = await openOrigin();
  const connector = new TransportConnector(first);
  await occupy(
    address,
    Array.from({ length: 128 }, (_, index) => 41_000 + index),
  );
  const bindTo = { address, portRange: { from: 41_000, to: 41_255 } };
  await expect(open(connector, origin, bindTo)).rejects.toMatchObject({ type: 'BindError' });
  expect(await portOf(open(connector, origin, bindTo))).toBe(41_128);
});

test('SourcePorts: that an upstream refuses is no matter of ports', async () => {
  const closed = await TestOrigin.listen([]);
  await closed.close();
  const bindTo = { address: ownAddress(), portRange: { from: 41_000, to: 41_255 }, fallback: true };
  await expect(open(new TransportConnector(first), closed, bindTo)).rejects.toMatchObject({ type: 'ConnectRefused' });
});
