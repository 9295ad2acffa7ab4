import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { duplexPair } from '@cirque/testing';
import { describe, expect, test } from 'vitest';
import { socketDigest } from './digest.ts';

/** Both ends of a connection to a listener on `host`. */
async function connected(
  host: string,
  target: string,
): Promise<{ ends: [Socket, Socket]; close: () => Promise<void> }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const { port } = server.address() as AddressInfo;
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
  const client = connect(port, target);
  const ends: [Socket, Socket] = [await accepted, client];
  if (client.connecting) await new Promise((resolve) => client.once('connect', resolve));
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      for (const end of ends) end.destroy();
      server.close(() => resolve());
    });
  return { ends, close };
}

describe('socketDigest', () => {
  test('socketDigest tells both sides of a connection', async () => {
    const { ends, close } = await connected('127.0.0.1', '127.0.0.1');
    const [server, client] = ends.map(socketDigest) as [
      ReturnType<typeof socketDigest>,
      ReturnType<typeof socketDigest>,
    ];
    expect(server).toMatchObject({ remoteAddress: '127.0.0.1', localAddress: '127.0.0.1' });
    expect([server.remotePort, server.localPort]).toEqual([client.localPort, client.remotePort]);
    expect(server.remotePort).toBeGreaterThan(0);
    await close();
  });

  test('socketDigest keeps what was read, of both sides, when the socket is gone', async () => {
    const { ends, close } = await connected('127.0.0.1', '127.0.0.1');
    const read = socketDigest(ends[0]);
    const before = JSON.stringify(read);
    const unread = socketDigest(ends[1]);
    await close();
    expect(JSON.stringify(read)).toBe(before);
    expect(read.localPort).toBeGreaterThan(0);
    expect(JSON.stringify(unread)).toBe('{}');
  });

  test('socketDigest shows an IPv4 client of a dual-stack listener by its plain address', async () => {
    const { ends, close } = await connected('::', '127.0.0.1');
    expect(ends[0].remoteAddress).toBe('::ffff:127.0.0.1');
    expect(socketDigest(ends[0])).toMatchObject({ remoteAddress: '127.0.0.1', localAddress: '127.0.0.1' });
    await close();
  });

  test('socketDigest leaves IPv6 addresses as they are', () => {
    const { remoteAddress, localAddress } = socketDigest({ remoteAddress: '::1', localAddress: '::ffff:1:2' });
    expect([remoteAddress, localAddress]).toEqual(['::1', '::ffff:1:2']);
  });

  test('socketDigest has nothing to say of a stream in memory', () => {
    const [left, right] = duplexPair();
    expect(JSON.stringify(socketDigest(left))).toBe('{}');
    left.destroy();
    right.destroy();
  });
});
