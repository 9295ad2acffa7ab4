/** Our tables against those of node:http2, both ways, over many blocks of one connection. */
import { once } from 'node:events';
import http2 from 'node:http2';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { HpackDecoder } from '../src/hpack/decoder.ts';
import { HpackEncoder } from '../src/hpack/encoder.ts';
import { decodeBlock } from './field-list.ts';
import { encodeBlock, type Field } from './growing-output.ts';
import { END_HEADERS, END_STREAM, frame, frames, HEADERS_FRAME, SETTINGS_FRAME } from './raw-frames.ts';

const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
const ROUNDS = 60;

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const thing of open.splice(0).reverse()) await thing.close();
});

test('HpackEncoder is understood by node:http2, and HpackDecoder understands it', async () => {
  const { port, received } = await echoServer();
  const socket = connect(port, '127.0.0.1');
  open.push({ close: () => socket.destroy() });
  const encoder = new HpackEncoder();
  const decoder = new HpackDecoder();
  const sent: Field[][] = [];
  const echoed: Record<string, string>[] = [];
  socket.write(Buffer.concat([Buffer.from(PREFACE), frame(SETTINGS_FRAME, 0, 0)]));
  const request = (): void => {
    const fields = requestFields(sent.length);
    sent.push(fields);
    const block = encodeBlock(encoder, fields);
    socket.write(frame(HEADERS_FRAME, END_STREAM | END_HEADERS, sent.length * 2 - 1, block));
  };
  request();
  for await (const { type, flags, payload } of frames(socket)) {
    if (type === SETTINGS_FRAME && (flags & 1) === 0) socket.write(frame(SETTINGS_FRAME, 1, 0));
    if (type !== HEADERS_FRAME) continue;
    echoed.push(Object.fromEntries(decodeBlock(decoder, payload)));
    if (echoed.length === ROUNDS) break;
    request();
  }
  for (let round = 0; round < ROUNDS; round++) {
    const custom = (sent[round] ?? []).filter(([name]) => name.startsWith('x-')).map(([name, value]) => [name, value]);
    expect(custom.length).toBeGreaterThan(3);
    expect(received[round]).toMatchObject(Object.fromEntries(custom));
    expect(echoed[round]).toMatchObject({ ':status': '200', ...Object.fromEntries(custom) });
  }
});

test('HpackDecoder understands the requests of node:http2 after the table was changed', async () => {
  const blocks: Buffer[] = [];
  const port = await listen(
    createServer((socket) => {
      open.push({ close: () => socket.destroy() });
      socket.on('error', () => {});
      void answerAll(socket, blocks);
    }),
  );
  const session = http2.connect(`http://127.0.0.1:${port}`);
  open.push({ close: () => session.destroy() });
  await once(session, 'remoteSettings');
  for (let round = 0; round < ROUNDS; round++) {
    const stream = session.request({ 'x-round': `round ${round}`, 'x-even': String(round % 2), ...octets(round) });
    await once(stream, 'response');
    stream.close();
  }
  session.close();
  await once(session, 'close');
  const decoder = new HpackDecoder();
  decoder.setMaxTableSize(300);
  for (let round = 0; round < ROUNDS; round++) {
    const fields = Object.fromEntries(decodeBlock(decoder, blocks[round] as Buffer));
    expect(fields).toMatchObject({ 'x-round': `round ${round}`, ':path': '/', ...octets(round) });
    expect(decoder.tableSize).toBeLessThanOrEqual(300);
  }
});

/** Answers every request with the fields of the request that begin with x-. */
async function echoServer(): Promise<{ port: number; received: Record<string, unknown>[] }> {
  const received: Record<string, unknown>[] = [];
  const server = http2.createServer();
  server.on('sessionError', () => {});
  server.on('stream', (stream, headers) => {
    received.push(headers);
    const own = Object.entries(headers).filter(([name]) => name.startsWith('x-'));
    (stream as http2.ServerHttp2Stream).respond({ ':status': 200, ...Object.fromEntries(own) }, { endStream: true });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  open.push({ close: () => server.close() });
  return { port: (server.address() as AddressInfo).port, received };
}

/** A server that allows a table of 300 octets and answers 204. */
async function answerAll(socket: Socket, blocks: Buffer[]): Promise<void> {
  const settings = Buffer.from([0, 1, 0, 0, 300 >> 8, 300 & 0xff]);
  socket.write(frame(SETTINGS_FRAME, 0, 0, settings));
  for await (const { type, flags, streamId, payload } of frames(socket, PREFACE.length)) {
    if (type === SETTINGS_FRAME && (flags & 1) === 0) socket.write(frame(SETTINGS_FRAME, 1, 0));
    if (type !== HEADERS_FRAME) continue;
    // A block may begin with five octets of priority.
    blocks.push(Buffer.from((flags & 0x20) === 0 ? payload : payload.subarray(5)));
    socket.write(frame(HEADERS_FRAME, END_STREAM | END_HEADERS, streamId, Buffer.from([0x89])));
  }
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  open.push({ close: () => server.close() });
  return (server.address() as AddressInfo).port;
}

function requestFields(round: number): Field[] {
  return [
    [':method', 'GET'],
    [':scheme', 'http'],
    [':path', `/${'path'.repeat(round % 7)}?${round}`],
    [':authority', 'www.example.com'],
    ['user-agent', 'Mozilla/5.0 (X11; Linux x86_64)'],
    ['x-same', 'always the same value'],
    ['x-round', `round ${round}`],
    ['x-long', `${round % 3}`.repeat(400)],
    ['x-secret', `secret ${round % 2}`, true],
    ...(Object.entries(octets(round)) as Field[]),
  ];
}

/** All octets that a value may have, in turn. */
function octets(round: number): Record<string, string> {
  const allowed = Array.from({ length: 256 }, (_, code) => code).filter((code) => code > 0x20 && code !== 0x7f);
  const value = String.fromCharCode(...allowed.slice((round * 8) % 200, ((round * 8) % 200) + 24));
  return { [`x-octets-${round % 5}`]: value };
}
