/**
 * Responses of one HTTP/2 connection that arrive in one read: what is written for one must not touch the other.
 */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { HttpPeer } from '@cirque/pool';
import { expect, test, vi } from 'vitest';
import { openProxy } from './open-proxies.ts';

const [DATA, HEADERS, SETTINGS] = [0, 1, 4];
const [END_STREAM, END_HEADERS, ACK] = [1, 4, 1];

function frame(type: number, flags: number, streamId: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(streamId, 5);
  return Buffer.concat([head, payload]);
}

/** `:status: 200` and Content-Length (RFC 7541 section 6.2.2), without an entry of any table. */
function head(streamId: number, length: number): Buffer {
  const text = String(length);
  return frame(HEADERS, END_HEADERS, streamId, Buffer.from([0x88, 0x0f, 0x0d, text.length, ...Buffer.from(text)]));
}

function body(streamId: number, letter: string, flags = 0): Buffer {
  return frame(DATA, flags, streamId, Buffer.alloc(16_384, letter));
}

test('the head of one response does not overwrite the end of another', async () => {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined).resume();
    socket.write(Buffer.concat([frame(SETTINGS, 0, 0), frame(SETTINGS, ACK, 0)]));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  try {
    const opened: Socket[] = [];
    const peer = new HttpPeer('10.0.0.1:80', {
      alpn: 'h2',
      customConnect: async () => {
        const socket = connect({ port, host: '127.0.0.1' });
        opened.push(socket);
        await once(socket, 'connect');
        return socket;
      },
    });
    const proxy = openProxy({ upstreamPeer: () => peer });
    const first = proxy.inject();
    await vi.waitFor(() => expect(opened).toHaveLength(1));
    const second = proxy.inject();
    await vi.waitFor(() => expect(proxy.stats.upstream.h2Streams).toBe(2));
    sockets[0]?.write(Buffer.concat([head(1, 32_768), body(1, 'a')]));
    await vi.waitFor(() => expect(proxy.stats.upstream.h2Streams).toBe(2));
    await new Promise((resolve) => setTimeout(resolve, 50));
    sockets[0]?.write(Buffer.concat([body(1, 'a', END_STREAM), head(3, 16_384), body(3, 'b', END_STREAM)]));
    const texts = [(await first).text, (await second).text];
    expect(texts.map((text) => text.replace(/(.)\1*/gs, (run, letter: string) => `${letter}${run.length} `))).toEqual([
      'a32768 ',
      'b16384 ',
    ]);
    for (const socket of opened) socket.destroy();
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
});

test('the bytes of a stream that users make are not written over: it may give the same ones again', async () => {
  const response = Buffer.from(
    `HTTP/1.1 200 OK\r\nContent-Length: 20000\r\nX-Long: ${'x'.repeat(300)}\r\n\r\n${'y'.repeat(20_000)}`,
  );
  const before = Buffer.from(response);
  const peer = new HttpPeer('10.0.0.1:80', {
    customConnect: async () =>
      new Duplex({
        read: () => undefined,
        write(_chunk, _encoding, done) {
          this.push(response);
          done();
        },
      }),
  });
  const proxy = openProxy({
    upstreamPeer: () => peer,
    responseFilter: (_session, head) => void head.removeHeader('X-Long'),
  });
  expect(await proxy.inject()).toMatchObject({ status: 200, text: 'y'.repeat(20_000) });
  expect(response.equals(before)).toBe(true);
});
