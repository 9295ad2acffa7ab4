import { LEASED_READ_BYTES } from '@cirque/transport';
import { expect, test } from 'vitest';
import { openSession, request, response, settle } from '../test/open-session.ts';

const BYTES = Buffer.alloc(300_000, 'x');

test('Http1ClientSession: a request without body is one write, complete at once', async () => {
  const { session, arrived } = openSession();
  session.writeHead(request(), 0);
  await settle();
  expect(arrived).toEqual(['GET /path?query HTTP/1.1\r\nHost: origin\r\n\r\n']);
});

test.each(['POST', 'PUT', 'PATCH'])('Http1ClientSession: %s without body announces that', async (method) => {
  const { session, received } = openSession();
  session.writeHead(request(method), 0);
  await settle();
  expect(received()).toBe(`${method} /path?query HTTP/1.1\r\nHost: origin\r\nContent-Length: 0\r\n\r\n`);
});

test('Http1ClientSession: the length of a body is announced once', async () => {
  for (const fields of [{}, { 'content-length': '5' }] as Record<string, string>[]) {
    const { session, received } = openSession();
    session.writeHead(request('POST', fields), 5);
    session.writeBody(Buffer.from('hello'), 0, 5);
    session.end();
    await settle();
    expect(received().match(/content-length: 5\r\n/gi)).toHaveLength(1);
    expect(received()).toMatch(/\r\n\r\nhello$/);
    expect(session.bodyBytesSent).toBe(5);
  }
});

test('Http1ClientSession: a body of unknown length is chunked', async () => {
  const { session, arrived } = openSession();
  session.writeHead(request('POST'), undefined);
  session.writeBody(Buffer.from('..hello..'), 2, 7);
  session.writeBody(Buffer.from('world'), 0, 5);
  session.writeBody(BYTES, 0, 0);
  session.end();
  await settle();
  expect(arrived).toEqual([
    'POST /path?query HTTP/1.1\r\nHost: origin\r\nTransfer-Encoding: chunked\r\n\r\n' +
      '5\r\nhello\r\n5\r\nworld\r\n0\r\n\r\n',
  ]);
});

test('Http1ClientSession: a given Transfer-Encoding is replaced by its own', async () => {
  const { session, received } = openSession();
  session.writeHead(request('POST', { 'Transfer-Encoding': 'gzip, chunked' }), 0);
  await settle();
  expect(received()).not.toContain('Transfer-Encoding');
});

test('Http1ClientSession: a given Content-Length wins over an unknown length', async () => {
  const { session, received } = openSession();
  session.writeHead(request('POST', { 'Content-Length': '2' }), undefined);
  session.writeBody(Buffer.from('ab'), 0, 2);
  session.end();
  await settle();
  expect(received()).toMatch(/Content-Length: 2\r\n\r\nab$/);
});

test.each([
  ['is not a number', '1x'],
  ['is a list', '1, 1'],
  ['announces a body that is not there', '5'],
])(
  'Http1ClientSession: refuses a Content-Length that %s, with nothing sent and the connection intact',
  async (_, length) => {
    const { session, received, fate } = openSession();
    expect(() => session.writeHead(request('GET', { 'Content-Length': length }), 0)).toThrow(
      expect.objectContaining({ type: 'InternalError', source: 'Internal' }),
    );
    session.release();
    await settle();
    expect(received()).toBe('');
    expect(fate).toEqual(['reusable']);
  },
);

test('Http1ClientSession: a body longer than announced is refused before it is sent', async () => {
  const { session, received } = openSession();
  session.writeHead(request('POST'), 3);
  session.writeBody(Buffer.from('ab'), 0, 2);
  expect(() => session.writeBody(Buffer.from('cd'), 0, 2)).toThrow(expect.objectContaining({ type: 'InternalError' }));
  session.abort();
  await settle();
  expect(received()).not.toContain('cd');
});

test('Http1ClientSession: a body shorter than announced cannot end', () => {
  const { session, fate } = openSession();
  session.writeHead(request('POST'), 3);
  session.writeBody(Buffer.from('ab'), 0, 2);
  expect(() => session.end()).toThrow(expect.objectContaining({ type: 'PrematureBodyEnd' }));
  session.release();
  expect(fate).toEqual(['closed']);
});

test('Http1ClientSession: small pieces wait for more, until flush', async () => {
  const { session, arrived } = openSession();
  session.writeHead(request('POST'), 6);
  session.writeBody(Buffer.from('ab'), 0, 2);
  session.writeBody(Buffer.from('cd'), 0, 2);
  await settle();
  expect(arrived).toEqual([]);
  session.flush();
  session.flush();
  await settle();
  expect(arrived).toHaveLength(1);
  expect(arrived[0]).toMatch(/\r\n\r\nabcd$/);
  session.writeBody(Buffer.from('ef'), 0, 2);
  session.end();
  await settle();
  expect(arrived.slice(1)).toEqual(['ef']);
});

test('Http1ClientSession: a hundred small pieces are few writes', async () => {
  const { session, near, received } = openSession();
  let writes = 0;
  const write = near.write.bind(near) as (...values: unknown[]) => boolean;
  near.write = ((...values: unknown[]) => {
    writes += 1;
    return write(...values);
  }) as typeof near.write;
  session.writeHead(request('POST'), 100_000);
  for (let i = 0; i < 100; i += 1) session.writeBody(BYTES, 0, 1_000);
  session.end();
  await settle();
  expect(received().length).toBeGreaterThan(100_000);
  expect(writes).toBeLessThanOrEqual(7);
});

test.each([
  ['with a length', 300_000],
  ['chunked', undefined],
])('Http1ClientSession: large pieces %s arrive whole and in order', async (_, length) => {
  const { session, received } = openSession();
  const body = Buffer.from(Array.from({ length: 300_000 }, (__, i) => i % 251));
  session.writeHead(request('POST'), length);
  for (const [start, end] of [
    [0, 100],
    [100, 20_000],
    [20_000, 20_001],
    [20_001, 300_000],
  ] as const) {
    // As reads do, each piece comes in memory that is used again.
    const piece = Buffer.from(body.subarray(start, end));
    session.writeBody(piece, 0, piece.length);
    piece.fill(0xdb);
  }
  session.end();
  for (let i = 0; i < 20; i += 1) await settle();
  const sent = received().slice(received().indexOf('\r\n\r\n') + 4);
  expect(Buffer.from(length === undefined ? dechunk(sent) : sent, 'latin1').equals(body)).toBe(true);
});

function dechunk(text: string): string {
  let body = '';
  for (let at = 0; ; ) {
    const line = text.indexOf('\r\n', at);
    const size = Number.parseInt(text.slice(at, line), 16);
    if (size === 0) return body;
    body += text.slice(line + 2, line + 2 + size);
    at = line + 2 + size + 2;
  }
}

test('Http1ClientSession: writing answers false when the upstream does not read, and drain follows', async () => {
  const { session, far, recorder } = openSession({}, 1_000);
  far.pause();
  session.writeHead(request('POST'), 300_000);
  expect(session.writeBody(BYTES, 0, 100_000)).toBe(false);
  await settle();
  expect(recorder.lines).toEqual([]);
  far.resume();
  await settle();
  expect(recorder.lines).toEqual(['drain']);
  session.abort();
});

test('Http1ClientSession: small pieces are held back too when the upstream does not read', async () => {
  const { session, far } = openSession({}, 1_000);
  far.pause();
  session.writeHead(request('POST'), undefined);
  let taken = 0;
  while (session.writeBody(BYTES, 0, 1_000) && taken < 1_000) taken += 1;
  expect(taken).toBeLessThan(20);
  session.abort();
});

test('Http1ClientSession: nothing is written for an exchange that is over', async () => {
  const { session, received, send } = openSession();
  session.writeHead(request('POST'), 10);
  session.flush();
  await send(response());
  const before = received();
  // The response is complete: the rest of the request is of no interest any more.
  expect(session.writeBody(BYTES, 0, 10)).toBe(true);
  session.end();
  session.release();
  expect(session.writeBody(BYTES, 0, 10)).toBe(true);
  await settle();
  expect(received()).toBe(before);
});

test('Http1ClientSession: a piece of a recycled read buffer is copied when it is held by the socket', async () => {
  const { session, far, received } = openSession({}, 1_000);
  far.pause();
  const piece = Buffer.alloc(LEASED_READ_BYTES, 'a');
  session.writeHead(request('POST'), 2 * piece.length);
  session.writeBody(piece, 0, piece.length);
  piece.fill('b');
  session.writeBody(piece, 0, piece.length);
  piece.fill('c');
  session.end();
  far.resume();
  for (let i = 0; i < 20; i += 1) await settle();
  const body = received().slice(received().indexOf('\r\n\r\n') + 4);
  expect(body === 'a'.repeat(piece.length) + 'b'.repeat(piece.length)).toBe(true);
});
