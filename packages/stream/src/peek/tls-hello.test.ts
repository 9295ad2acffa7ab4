import { createServer, type Socket } from 'node:net';
import { type ConnectionOptions, connect } from 'node:tls';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { peekTls } from './tls-hello.ts';

/** The first bytes that Node's TLS sends. */
async function realHello(options: ConnectionOptions): Promise<Buffer> {
  const { promise, resolve } = Promise.withResolvers<Buffer>();
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    socket.once('data', resolve);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as { port: number };
  const client = connect({ ...options, port, host: '127.0.0.1' });
  client.on('error', () => {});
  const hello = await promise;
  client.destroy();
  for (const socket of sockets) socket.destroy();
  await new Promise((done) => server.close(done));
  return hello;
}

const u16 = (value: number): number[] => [value >> 8, value & 255];
const vector8 = (bytes: number[]): number[] => [bytes.length, ...bytes];
const vector16 = (bytes: number[]): number[] => [...u16(bytes.length), ...bytes];
const ascii = (text: string): number[] => [...Buffer.from(text, 'latin1')];
const extension = (type: number, body: number[]): number[] => [...u16(type), ...vector16(body)];
const sni = (name: string, type = 0): number[] => extension(0, vector16([type, ...vector16(ascii(name))]));
const alpn = (...names: string[]): number[] => extension(16, vector16(names.flatMap((name) => vector8(ascii(name)))));

interface Parts {
  version?: number[];
  session?: number[];
  ciphers?: number[];
  compression?: number[];
  /** Undefined: no block of extensions at all. */
  extensions?: number[] | undefined;
  after?: number[];
}

/** A handshake message. */
function message(parts: Parts = {}): Buffer {
  const { version = [3, 3], session = [], ciphers = [19, 1], compression = [0], after = [] } = parts;
  const extensions = 'extensions' in parts ? parts.extensions : sni('a.example');
  const body = [...version, ...new Array<number>(32).fill(7), ...vector8(session), ...vector16(ciphers)];
  body.push(...vector8(compression), ...(extensions === undefined ? [] : vector16(extensions)), ...after);
  return Buffer.from([1, 0, ...u16(body.length), ...body]);
}

/** A message in records of so many bytes. */
function records(bytes: Buffer, size = 16_384): Buffer {
  const all: number[] = [];
  for (let at = 0; at < bytes.length; at += size) {
    all.push(22, 3, 1, ...vector16([...bytes.subarray(at, at + size)]));
  }
  return Buffer.from(all);
}

describe('peekTls', () => {
  test('reads what real clients send', async () => {
    const hello = await realHello({ servername: 'Db.Example.COM', ALPNProtocols: ['postgresql', 'h2'] });
    expect(peekTls(hello)).toEqual({ serverName: 'db.example.com', alpn: ['postgresql', 'h2'] });
    expect(peekTls(await realHello({ maxVersion: 'TLSv1.2' }))).toEqual({ alpn: [] });
    expect(peekTls(Buffer.concat([hello, Buffer.from('early data')]))).toEqual(peekTls(hello));
  });

  test('waits for more, byte by byte, and takes nothing before it is complete', async () => {
    const hello = await realHello({ servername: 'a.example' });
    for (let length = 0; length < hello.length; length += 1) expect(peekTls(hello.subarray(0, length))).toBe('more');
    expect(peekTls(hello)).toEqual({ serverName: 'a.example', alpn: [] });
  });

  test.each([1, 2, 3, 4, 5, 17, 60])('reads a hello in records of %d bytes', (size) => {
    const split = records(message({ extensions: [...sni('a.example'), ...alpn('x')] }), size);
    expect(peekTls(split)).toEqual({ serverName: 'a.example', alpn: ['x'] });
    for (let length = 0; length < split.length; length += 1) expect(peekTls(split.subarray(0, length))).toBe('more');
  });

  test('takes time in proportion to the bytes, in however many records they come', () => {
    const long = message({ extensions: extension(21, new Array<number>(60_000).fill(0)) });
    const split = records(long, 1);
    expect(split.length).toBeGreaterThan(360_000);
    // Quadratic time would be minutes here.
    expect(peekTls(split.subarray(0, -1))).toBe('more');
    expect(peekTls(split)).toEqual({ alpn: [] });
  });

  test('does without extensions, with empty ones, and with ones that it does not know', () => {
    expect(peekTls(records(message({ extensions: undefined })))).toEqual({ alpn: [] });
    expect(peekTls(records(message({ extensions: [] })))).toEqual({ alpn: [] });
    const unknown = [...extension(0x1a1a, []), ...sni('x.example'), ...extension(43, [2, 3, 4])];
    expect(peekTls(records(message({ extensions: unknown })))).toEqual({ serverName: 'x.example', alpn: [] });
  });

  test('stops waiting as soon as it cannot be TLS', () => {
    expect(peekTls(Buffer.from('G'))).toBeUndefined();
    expect(peekTls(Buffer.from('SSH-2.0-x\r\n'))).toBeUndefined();
    expect(peekTls(Buffer.from([22, 2]))).toBeUndefined(); // SSL 2
    expect(peekTls(Buffer.from([23, 3]))).toBeUndefined(); // application data
    expect(peekTls(Buffer.from([22, 3, 1, 0, 0]))).toBeUndefined(); // an empty record
    expect(peekTls(Buffer.from([22, 3, 1, 0x40, 1]))).toBeUndefined(); // longer than a record may be
    expect(peekTls(Buffer.from([22, 3, 1, 0, 9, 2]))).toBeUndefined(); // a ServerHello
    expect(peekTls(Buffer.from([22, 3, 1, 0, 9, 1, 1, 0, 1]))).toBeUndefined(); // longer than any hello
    const [first] = [records(message(), 20)];
    const broken = Buffer.from(first);
    broken[25] = 23; // the second record
    expect(peekTls(broken)).toBeUndefined();
  });

  const WRONG: readonly (readonly [what: string, parts: Parts])[] = [
    ['another major version', { version: [2, 0] }],
    ['a session id that is too long', { session: new Array<number>(33).fill(1) }],
    ['no cipher', { ciphers: [] }],
    ['half a cipher', { ciphers: [19, 1, 19] }],
    ['no compression method', { compression: [] }],
    ['something after the extensions', { after: [0] }],
    ['a server name of another type', { extensions: sni('a.example', 1) }],
    ['an empty server name', { extensions: sni('') }],
    ['a server name with a control character', { extensions: sni('a.example\n') }],
    ['a server name with NUL', { extensions: sni('a.example\0.evil') }],
    ['a server name that is not ASCII', { extensions: sni('\xe4.example') }],
    ['two server names', { extensions: [...sni('a.example'), ...sni('b.example')] }],
    [
      'two names in the list',
      { extensions: extension(0, vector16([0, ...vector16(ascii('a')), 0, ...vector16(ascii('b'))])) },
    ],
    ['two lists of protocols', { extensions: [...alpn('a'), ...alpn('b')] }],
    ['an empty list of protocols', { extensions: extension(16, vector16([])) }],
    ['an empty protocol', { extensions: alpn('a', '') }],
    ['an extension that is cut', { extensions: sni('a.example').slice(0, -1) }],
    ['half an extension', { extensions: [0] }],
    ['a list that is longer than its extension', { extensions: extension(16, [0, 9, 1, 97]) }],
  ];

  test.each(WRONG)('takes %s for no TLS', (_, parts) => {
    expect(peekTls(records(message(parts)))).toBeUndefined();
  });

  test('never throws, and never looks beyond what it was given', () => {
    const valid = records(message({ extensions: [...sni('a.example'), ...alpn('h2')] }), 40);
    const damaged = fc.array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { maxLength: 4 }).chain((edits) => {
      const bytes = Buffer.from(valid);
      for (const [at, value] of edits) bytes[at] = value;
      return fc.nat(bytes.length).map((length) => bytes.subarray(0, length));
    });
    const garbage = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes));
    const beginning = garbage.map((bytes) => Buffer.concat([Buffer.from([22, 3, 1, 0, 80, 1, 0, 0, 76]), bytes]));
    fc.assert(
      fc.property(fc.oneof(damaged, garbage, beginning), (bytes) => {
        const alone = peekTls(Buffer.from(bytes));
        const within = Buffer.concat([Buffer.from([22, 3]), bytes, valid]);
        expect(peekTls(within.subarray(2, 2 + bytes.length))).toEqual(alone);
      }),
      { numRuns: 3_000 },
    );
  });

  test('never changes its mind: what it said of a beginning holds for the whole', () => {
    const piece = fc.oneof(
      fc.constant(records(message(), 30)),
      fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
      fc.constant(Buffer.from([22, 3, 1, 0, 4, 1, 0, 0, 0])),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 3 }), fc.nat(100), (pieces, cut) => {
        const whole = Buffer.concat(pieces);
        const early = peekTls(whole.subarray(0, cut));
        if (early !== 'more') expect(peekTls(whole)).toEqual(early);
      }),
      { numRuns: 2_000 },
    );
  });
});
