/**
 * Streams of users may keep what is written to them for longer than the write takes, as a PassThrough does.
 */
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createHttp2Server } from 'node:http2';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { Duplex, PassThrough } from 'node:stream';
import { HttpPeer } from '@cirque/pool';
import { expect, test } from 'vitest';
import { openProxy } from './open-proxies.ts';

const LENGTH = 400_000;

/** A connection whose writes are done before they are sent. */
async function throughPassThrough(port: number): Promise<Duplex> {
  const socket = connect({ port, host: '127.0.0.1' });
  await once(socket, 'connect');
  const outgoing = new PassThrough({ highWaterMark: 8 * LENGTH });
  setTimeout(() => outgoing.pipe(socket), 50);
  return Duplex.from({ readable: socket, writable: outgoing } as never);
}

test.each(['h1', 'h2'] as const)(
  'an upload over %s through a stream that keeps its chunks arrives as it was',
  async (alpn) => {
    const origin: RequestListener = (request, response) => {
      const seen = new Set<number>();
      request.on('data', (chunk: Buffer) => {
        for (const byte of chunk) seen.add(byte);
      });
      request.on('end', () => response.end(Buffer.from([...seen])));
    };
    const sockets: Socket[] = [];
    const server = alpn === 'h1' ? createServer(origin) : createHttp2Server(origin as never);
    server.on('connection', (socket: Socket) => sockets.push(socket));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    try {
      const peer = new HttpPeer('10.0.0.1:80', { alpn, customConnect: () => throughPassThrough(port) });
      const proxy = openProxy({ upstreamPeer: () => peer });
      const upload = (letter: string) =>
        proxy.inject({ method: 'POST', body: Array.from({ length: 8 }, () => Buffer.alloc(LENGTH / 8, letter)) });
      const answers = await Promise.all(['a', 'b', 'c'].map(upload));
      expect(answers.map(({ text }) => text)).toEqual(['a', 'b', 'c']);
    } finally {
      for (const socket of sockets) socket.destroy();
      server.close();
    }
  },
);
