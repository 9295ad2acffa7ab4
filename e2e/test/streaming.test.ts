/**
 * Bodies in motion: they flow while they are made, arrive octet for octet, and a slow side holds the other one back
 * instead of filling the memory of the proxy.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { SeededRandom } from '@cirque/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { head } from '../src/case.ts';
import type { OriginConnection } from '../src/recording-origin.ts';
import { Rig } from '../src/rig.ts';
import { Subject } from '../src/subject.ts';
import { get } from '../src/wire-client.ts';

const MEGABYTE = 1_048_576;
const BLOCK = Buffer.alloc(MEGABYTE, 'x');
/**
 * More than the buffers of the system on the way can hold, where they grow to 32 MiB for a reader that has been quick.
 * Twenty stalled bodies of this size are 1.9 GiB: a proxy that keeps them shows it.
 */
const FLOOD_BLOCKS = 96;
const FLOOD = FLOOD_BLOCKS * MEGABYTE;
/** What heap and buffers of 20 stalled connections may add. The heap of a young process alone grows by some 40 MiB. */
const STALLED_MIB = 100;

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

async function readAll(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

describe('flow', () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await Rig.start();
  });
  afterEach(async () => {
    rig.endTest();
    await rig.origin.breakAll();
  });
  afterAll(() => rig?.stop());

  it.each([
    ['by length', head('HTTP/1.1 200 OK', 'Content-Length: 10'), 'first', 'later'],
    ['chunked', head('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked'), '5\r\nfirst\r\n', '5\r\nlater\r\n0\r\n\r\n'],
    ['close-delimited', head('HTTP/1.1 200 OK'), 'first', 'later'],
  ])('the first part of an answer (%s) arrives before the second exists', async (name, start, first, later) => {
    rig.origin.answer = ({ connection }) => connection.send(start + first);
    const client = await rig.request(get('/stream'));
    await client.wire.until(() => client.reader.current?.body.size === 5, 'the first part');
    const { connection } = await rig.origin.arrival();
    connection.send(later);
    if (name === 'close-delimited') connection.wire.finish();
    expect((await client.answer()).body.bytes().toString('latin1')).toBe('firstlater');
  });

  it('the head of an answer arrives before its body exists', async () => {
    rig.origin.answer = ({ connection }) => connection.send(head('HTTP/1.1 200 OK', 'Content-Length: 5'));
    const client = await rig.request(get('/stream'));
    await client.wire.until(() => client.reader.current !== undefined, 'the head');
    (await rig.origin.arrival()).connection.send('hello');
    expect((await client.answer()).body.bytes().toString('latin1')).toBe('hello');
  });

  it.each([
    ['by length', 'Content-Length: 10', 'first', 'later'],
    ['chunked', 'Transfer-Encoding: chunked', '5\r\nfirst\r\n', '5\r\nlater\r\n0\r\n\r\n'],
  ])('the first part of a request (%s) arrives before the second exists', async (_name, field, first, later) => {
    const client = await rig.request(head('POST /stream HTTP/1.1', 'Host: h.example', field) + first);
    const current = (): OriginConnection | undefined => rig.origin.unfinished[0];
    await rig.origin.until(() => current()?.reader.current?.body.size === 5, 'the first part at the origin');
    client.send(later);
    expect((await client.answer()).status).toBe(200);
    expect(rig.origin.requests[0]?.body.bytes().toString('latin1')).toBe('firstlater');
  });

  it('clients that do not read hold the origin back', async ({ skip }) => {
    const before = await rig.subject.residentBytes();
    if (before === undefined) return skip('the memory of the process is not known on this system');
    const pour = (connection: OriginConnection, left: number): void => {
      if (connection.isClosed || left === 0) return;
      connection.send(BLOCK);
      connection.wire.onDrain(() => setImmediate(pour, connection, left - 1));
    };
    rig.origin.answer = ({ connection }) => {
      connection.send(head('HTTP/1.1 200 OK', `Content-Length: ${FLOOD}`));
      pour(connection, FLOOD_BLOCKS);
    };
    const clients = await Promise.all(Array.from({ length: 20 }, () => rig.connect({ paused: true })));
    for (const client of clients) client.send(get('/flood'));
    await rig.origin.until(() => rig.origin.arrivals.length === clients.length, 'all requests');
    await rig.settled();
    const grown = ((await rig.subject.residentBytes()) ?? 0) - before;
    expect(grown / MEGABYTE, `MiB for 20 stalled clients of ${FLOOD_BLOCKS} MiB`).toBeLessThan(STALLED_MIB);
    const used = rig.origin.arrivals.map(({ connection }) => connection);
    for (const { wire } of used) expect(wire.sentSize, 'octets taken from the origin').toBeLessThan(FLOOD);
    for (const client of clients) client.wire.reset();
    await rig.origin.until(() => used.every((connection) => connection.isClosed), 'the end of the answers');
    rig.origin.forget();
    await rig.expectService();
  });

  it('an origin that does not read holds the clients back', async ({ skip }) => {
    const before = await rig.subject.residentBytes();
    if (before === undefined) return skip('the memory of the process is not known on this system');
    rig.origin.onHead = ({ connection }) => connection.wire.pause();
    const start = head('POST /flood HTTP/1.1', 'Host: h.example', `Content-Length: ${FLOOD}`);
    const clients = await Promise.all(Array.from({ length: 20 }, () => rig.request(start)));
    await rig.origin.until(() => rig.origin.unfinished.length === clients.length, 'all requests');
    for (const client of clients) for (let sent = 0; sent < FLOOD_BLOCKS; sent++) client.send(BLOCK);
    await rig.settled();
    const grown = ((await rig.subject.residentBytes()) ?? 0) - before;
    expect(grown / MEGABYTE, `MiB for 20 stalled uploads of ${FLOOD_BLOCKS} MiB`).toBeLessThan(STALLED_MIB);
    for (const { wire } of clients) expect(wire.sentSize, 'octets taken from a client').toBeLessThan(FLOOD);
    for (const client of clients) client.wire.reset();
    for (const connection of rig.origin.connections) connection.wire.resume();
    rig.origin.onHead = undefined;
    await rig.expectService();
  });
});

describe('stop and go', () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await Rig.start();
  });
  afterEach(() => rig.endTest());
  afterAll(() => rig?.stop());

  const content = new SeededRandom(2).bytes(16 * MEGABYTE);

  it('a client that pauses in the middle of an answer gets all of it in the end', async () => {
    rig.origin.answer = ({ connection }) => {
      connection.send(head('HTTP/1.1 200 OK', `Content-Length: ${content.length}`));
      connection.send(content);
    };
    const client = await rig.request(get('/stop-and-go'));
    for (let megabytes = 1; megabytes < 12; megabytes += 4) {
      await client.wire.until(() => client.wire.receivedSize > megabytes * MEGABYTE, `${megabytes} MiB`);
      client.wire.pause();
      await rig.settled();
      client.wire.resume();
    }
    expect(sha256((await client.answer()).body.bytes())).toBe(sha256(content));
  });

  it('an origin that pauses in the middle of a request gets all of it in the end', async () => {
    const client = await rig.request(
      head('PUT /stop-and-go HTTP/1.1', 'Host: h.example', `Content-Length: ${content.length}`),
    );
    client.send(content);
    await rig.origin.until(() => (rig.origin.unfinished[0]?.wire.receivedSize ?? 0) > MEGABYTE, 'one MiB');
    rig.origin.unfinished[0]?.wire.pause();
    await rig.settled();
    rig.origin.unfinished[0]?.wire.resume();
    expect((await client.answer()).status).toBe(200);
    expect(sha256(rig.origin.requests[0]?.body.bytes() ?? Buffer.alloc(0))).toBe(sha256(content));
  });

  it('a client that asks without end and never reads is held back', async () => {
    const requests = Buffer.from(get('/flood').repeat(30_000));
    const client = await rig.connect({ paused: true });
    for (let block = 0; block < 40; block++) client.send(requests);
    await client.wire.until(() => client.wire.sentSize > 0, 'the first requests');
    await pause(1_000);
    expect(client.wire.sentSize, 'octets taken').toBeLessThan(40 * requests.length);
    expect((await rig.subject.residentBytes()) ?? 0, 'octets of memory').toBeLessThan(400 * MEGABYTE);
    client.wire.reset();
    await rig.expectService();
  });
});

describe('octets', () => {
  const content = new SeededRandom(1).bytes(6 * MEGABYTE);
  const digest = sha256(content);
  let server: Server;
  let subject: Subject;

  /** Sends the content for GET, and for anything else the digest of what came. */
  function respond(request: IncomingMessage, response: ServerResponse): void {
    const answer = async (): Promise<void> => {
      const body = await readAll(request);
      if (request.method !== 'GET') return void response.end(`${body.length} ${sha256(body)}`);
      if (request.url === '/length') response.setHeader('Content-Length', content.length);
      if (request.url === '/close') response.shouldKeepAlive = false;
      for (let at = 0; at < content.length; at += 100_000) response.write(content.subarray(at, at + 100_000));
      response.end();
    };
    answer().catch(() => response.destroy());
  }

  beforeAll(async () => {
    server = createServer(respond);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    subject = await Subject.start((server.address() as AddressInfo).port);
  });
  afterAll(async () => {
    await subject?.stop();
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });

  async function fetchBytes(
    method: string,
    path: string,
    headers: Record<string, string>,
    body?: Buffer,
  ): Promise<Buffer> {
    const sent = httpRequest({ port: subject.port, host: '127.0.0.1', method, path, headers, agent: false });
    const answered = once(sent, 'response') as Promise<[IncomingMessage]>;
    for (let at = 0; body && at < body.length; at += 65_000) sent.write(body.subarray(at, at + 65_000));
    sent.end();
    const [response] = await answered;
    expect(response.statusCode).toBe(200);
    return readAll(response);
  }

  it.each(['/length', '/chunked', '/close'])('six megabytes of answer, GET %s', async (path) => {
    const bytes = await fetchBytes('GET', path, {});
    expect(bytes.length).toBe(content.length);
    expect(sha256(bytes)).toBe(digest);
  });

  it.each([
    ['by length', { 'Content-Length': String(content.length) }],
    ['chunked', { 'Transfer-Encoding': 'chunked' }],
  ])('six megabytes of request, %s', async (_name, headers) => {
    const echoed = await fetchBytes('POST', '/upload', headers as Record<string, string>, content);
    expect(echoed.toString()).toBe(`${content.length} ${digest}`);
  });

  it('a hundred uploads at once, each with its own content', async () => {
    const upload = async (index: number): Promise<void> => {
      const size = 20_000 + index * 1_000;
      const body = content.subarray(index * 7_919, index * 7_919 + size);
      const headers = index % 2 === 0 ? { 'Transfer-Encoding': 'chunked' } : { 'Content-Length': String(size) };
      const echoed = await fetchBytes('PUT', `/${index}`, headers as Record<string, string>, body);
      expect(echoed.toString(), `upload ${index}`).toBe(`${size} ${sha256(body)}`);
    };
    await Promise.all(Array.from({ length: 100 }, (_, index) => upload(index)));
    expect(subject.alive).toBe(true);
  });
});
