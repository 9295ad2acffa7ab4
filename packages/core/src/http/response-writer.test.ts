import { Writable } from 'node:stream';
import { CirqueError } from '@cirque/error';
import { HeaderMap, ResponseHeader } from '@cirque/http';
import { Stream } from '@cirque/transport';
import { describe, expect, test } from 'vitest';
import { ResponseWriter } from './response-writer.ts';

const DATE = 'Sun, 06 Nov 1994 08:49:37 GMT';

/** A writer for one connection whose socket keeps what it is given. */
class Wire {
  readonly writes: string[] = [];
  readonly writer: ResponseWriter;

  constructor(keepAlive: boolean = true) {
    const sink = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        this.writes.push(chunk.toString('latin1'));
        done();
      },
    });
    this.writer = new ResponseWriter(new Stream(sink as never, 'Downstream'));
    this.writer.reset(keepAlive);
  }

  get text(): string {
    return this.writes.join('');
  }

  body(text: string): boolean {
    const bytes = Buffer.from(text, 'latin1');
    return this.writer.body(bytes, 0, bytes.length, undefined);
  }
}

/** With a Date, so that what is written is known to the byte. */
function response(status: number, fields: readonly (readonly [string, string])[] = []): ResponseHeader {
  return new ResponseHeader(status, HeaderMap.from([['Date', DATE], ...fields]));
}

/** The lines after the status line, without Date. */
function linesOf(text: string): string[] {
  const head = text.slice(0, text.indexOf('\r\n\r\n'));
  return head
    .split('\r\n')
    .slice(1)
    .filter((line) => !line.startsWith('Date: '));
}

function afterHead(text: string): string {
  return text.slice(text.indexOf('\r\n\r\n') + 4);
}

function thrownBy(action: () => void): CirqueError {
  try {
    action();
  } catch (error) {
    expect(error).toBeInstanceOf(CirqueError);
    return error as CirqueError;
  }
  throw new Error('nothing was thrown');
}

interface Case {
  readonly what: string;
  readonly status?: number;
  readonly length?: number;
  readonly method?: string;
  readonly minor: 0 | 1;
  /** What the application writes; undefined: the head alone ends the response. */
  readonly body?: string;
  readonly lines: readonly string[];
  readonly sent: string;
  readonly keepAlive: boolean;
}

const LENGTH = 'Content-Length: 5';
const KEEP = 'Connection: keep-alive';
const CHUNKED = 'Transfer-Encoding: chunked';
const CHUNKS = '5\r\nhello\r\n0\r\n\r\n';

const MATRIX: readonly Case[] = [
  { what: 'a length', minor: 1, length: 5, body: 'hello', lines: [LENGTH], sent: 'hello', keepAlive: true },
  { what: 'a length', minor: 0, length: 5, body: 'hello', lines: [LENGTH, KEEP], sent: 'hello', keepAlive: true },
  { what: 'no length', minor: 1, body: 'hello', lines: [CHUNKED], sent: CHUNKS, keepAlive: true },
  { what: 'no length', minor: 0, body: 'hello', lines: ['Connection: close'], sent: 'hello', keepAlive: false },
  { what: 'no length, no byte', minor: 1, body: '', lines: [CHUNKED], sent: '0\r\n\r\n', keepAlive: true },
  { what: 'an end in the head', minor: 1, lines: ['Content-Length: 0'], sent: '', keepAlive: true },
  { what: 'an end in the head', minor: 0, lines: ['Content-Length: 0', KEEP], sent: '', keepAlive: true },
  { what: 'length 0', minor: 1, length: 0, lines: ['Content-Length: 0'], sent: '', keepAlive: true },
  { what: '204', status: 204, minor: 1, body: 'hello', lines: [], sent: '', keepAlive: true },
  { what: '204', status: 204, minor: 0, lines: [KEEP], sent: '', keepAlive: true },
  { what: '204 with a length', status: 204, minor: 1, length: 5, body: 'hello', lines: [], sent: '', keepAlive: true },
  { what: '304', status: 304, minor: 1, body: 'hello', lines: [], sent: '', keepAlive: true },
  { what: '304', status: 304, minor: 0, lines: [KEEP], sent: '', keepAlive: true },
  { what: '304 with a length', status: 304, minor: 1, length: 5, lines: [LENGTH], sent: '', keepAlive: true },
  { what: 'HEAD', method: 'HEAD', minor: 1, body: 'hello', lines: [], sent: '', keepAlive: true },
  { what: 'HEAD', method: 'HEAD', minor: 0, body: 'hello', lines: [KEEP], sent: '', keepAlive: true },
  { what: 'HEAD, ended in the head', method: 'HEAD', minor: 1, lines: [], sent: '', keepAlive: true },
  { what: 'HEAD with a length', method: 'HEAD', minor: 1, length: 5, lines: [LENGTH], sent: '', keepAlive: true },
  {
    what: 'CONNECT accepted',
    method: 'CONNECT',
    minor: 1,
    body: 'hello',
    lines: [],
    sent: '',
    keepAlive: true,
  },
  {
    what: 'CONNECT refused',
    method: 'CONNECT',
    status: 405,
    minor: 1,
    body: 'hello',
    lines: [CHUNKED],
    sent: CHUNKS,
    keepAlive: true,
  },
];

describe('ResponseWriter framing', () => {
  test.each(MATRIX)('ResponseWriter frames $what for HTTP/1.$minor', (row) => {
    const wire = new Wire();
    const header = response(row.status ?? 200, row.length === undefined ? [] : [['Content-Length', `${row.length}`]]);
    wire.writer.head(header, row.body === undefined, row.method ?? 'GET', row.minor);
    if (row.body !== undefined) wire.body(row.body);
    wire.writer.end();
    expect(linesOf(wire.text)).toEqual(row.lines);
    expect(afterHead(wire.text)).toBe(row.sent);
    expect(wire.writer.keepAlive).toBe(row.keepAlive);
    expect(wire.text).toMatch(/^HTTP\/1\.1 \d{3} /);
  });

  test.each([
    [1, false],
    [0, true],
  ])('ResponseWriter knows for HTTP/1.%i whether the close ends the body: %s', (minor, untilClose) => {
    const { writer } = new Wire();
    expect(writer.untilClose).toBe(false);
    writer.head(response(200), false, 'GET', minor);
    expect(writer.untilClose).toBe(untilClose);
    writer.end();
    expect(writer.untilClose).toBe(false);
  });

  test('ResponseWriter sends any number of informational heads at once, each without framing, Date or Connection', () => {
    const wire = new Wire(false);
    wire.writer.head(new ResponseHeader(100), false, 'GET', 1);
    wire.writer.head(new ResponseHeader(103, HeaderMap.from([['Link', '</a>']])), false, 'GET', 1);
    expect(wire.writes).toEqual(['HTTP/1.1 100 Continue\r\n\r\n', 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n']);
    expect(wire.writer.started).toBe(false);
    wire.writer.head(response(200), true, 'GET', 1);
    expect(wire.writer.started).toBe(true);
    expect(wire.writes).toHaveLength(3);
  });

  test('ResponseWriter keeps informational heads from HTTP/1.0 clients', () => {
    const wire = new Wire();
    wire.writer.head(new ResponseHeader(100), false, 'GET', 0);
    expect(wire.writes).toEqual([]);
    wire.writer.head(response(200), true, 'GET', 0);
    expect(wire.text).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  });

  test('ResponseWriter refuses status 101: there is no protocol to switch to', () => {
    const wire = new Wire();
    expect(thrownBy(() => wire.writer.head(response(101), false, 'GET', 1)).message).toContain('status 101');
    expect(wire.writer.started).toBe(false);
    wire.writer.head(response(500), true, 'GET', 1);
    expect(wire.text).toMatch(/^HTTP\/1\.1 500 /);
  });
});

describe('ResponseWriter fields', () => {
  test('ResponseWriter adds a Date, but only where there is none', () => {
    const without = new Wire();
    without.writer.head(new ResponseHeader(200), true, 'GET', 1);
    const date = /\r\nDate: ([^\r]+ GMT)\r\n/.exec(without.text)?.[1];
    expect(Math.abs(Date.parse(date ?? '') - Date.now())).toBeLessThan(5_000);
    const given = new Wire();
    given.writer.head(new ResponseHeader(200, HeaderMap.from([['date', 'mine']])), true, 'GET', 1);
    expect(given.text.match(/^date:.*$/gim)).toEqual(['date: mine']);
  });

  test.each([
    [true, 1, []],
    [true, 0, [KEEP]],
    [false, 1, ['Connection: close']],
    [false, 0, ['Connection: close']],
  ])('ResponseWriter, connection kept %s, HTTP/1.%i: Connection lines %o', (keepAlive, minor, expected) => {
    const wire = new Wire(keepAlive);
    wire.writer.head(response(200), true, 'GET', minor);
    expect(linesOf(wire.text).filter((line) => line.startsWith('Connection'))).toEqual(expected);
    expect(wire.writer.keepAlive).toBe(keepAlive);
  });

  test.each([
    ['close', false],
    ['X-Other , CLOSE', false],
    ['close, x-other', false],
    ['keep-alive', true],
    ['x-close', true],
    ['close-notify', true],
  ])('ResponseWriter takes "Connection: %s" as a wish, kept: %s', (value, keepAlive) => {
    const wire = new Wire();
    wire.writer.head(response(200, [['Connection', value]]), true, 'GET', 1);
    const lines = linesOf(wire.text).filter((line) => /^connection/i.test(line));
    expect(lines).toEqual(keepAlive ? [] : ['Connection: close']);
    expect(wire.writer.keepAlive).toBe(keepAlive);
  });

  test('ResponseWriter cannot be talked into keeping a connection that closes', () => {
    const wire = new Wire(false);
    wire.writer.head(response(200, [['Connection', 'keep-alive']]), true, 'GET', 1);
    expect(linesOf(wire.text)).toContain('Connection: close');
    expect(wire.text).not.toContain('keep-alive');
  });

  test.each(['chunked', 'gzip, chunked', 'identity'])('ResponseWriter ignores "Transfer-Encoding: %s"', (coding) => {
    const unframed = new Wire();
    unframed.writer.head(response(200, [['Transfer-Encoding', coding]]), false, 'GET', 1);
    unframed.body('hello');
    unframed.writer.end();
    expect(linesOf(unframed.text)).toEqual([CHUNKED]);
    expect(afterHead(unframed.text)).toBe(CHUNKS);
    const fields = [
      ['transfer-encoding', coding],
      ['Content-Length', '5'],
    ] as const;
    const framed = new Wire();
    framed.writer.head(response(200, fields), false, 'GET', 1);
    framed.body('hello');
    framed.writer.end();
    expect(linesOf(framed.text)).toEqual([LENGTH]);
    expect(afterHead(framed.text)).toBe('hello');
  });

  test.each([['abc'], ['-1'], ['5, 6'], ['']])('ResponseWriter refuses "Content-Length: %s"', (value) => {
    const wire = new Wire();
    const error = thrownBy(() => wire.writer.head(response(200, [['Content-Length', value]]), false, 'GET', 1));
    expect([error.type, error.source]).toEqual(['InternalError', 'Internal']);
    expect(error.message).toContain('Content-Length of the response is not one number');
    expect([wire.writer.started, wire.text]).toEqual([false, '']);
  });

  test('ResponseWriter refuses two different lengths', () => {
    const wire = new Wire();
    const header = response(200, [
      ['Content-Length', '5'],
      ['Content-Length', '6'],
    ]);
    expect(thrownBy(() => wire.writer.head(header, false, 'GET', 1)).message).toContain('not one number');
  });
});

describe('ResponseWriter order', () => {
  test('ResponseWriter refuses a second final head, and an informational one after it', () => {
    const wire = new Wire();
    wire.writer.head(response(200), false, 'GET', 1);
    for (const status of [200, 103]) {
      const error = thrownBy(() => wire.writer.head(response(status), false, 'GET', 1));
      expect(error.message).toContain('a final response head was written already');
    }
    wire.writer.end();
    expect(wire.text.match(/HTTP\/1\.1/g)).toHaveLength(1);
  });

  test('ResponseWriter refuses a body before the head', () => {
    const wire = new Wire();
    const error = thrownBy(() => wire.body('early'));
    expect(error.type).toBe('InternalError');
    expect(error.message).toContain('no response head was written yet');
    wire.writer.head(new ResponseHeader(100), false, 'GET', 1);
    expect(thrownBy(() => wire.body('early')).message).toContain('no response head');
    expect(wire.text).not.toContain('early');
  });

  test('ResponseWriter refuses a body after the end', () => {
    const wire = new Wire();
    wire.writer.head(response(200), false, 'GET', 1);
    wire.writer.end();
    const before = wire.text;
    expect(thrownBy(() => wire.body('late')).message).toContain('the response was ended already');
    wire.writer.flush();
    expect(wire.text).toBe(before);
  });

  test('ResponseWriter refuses more than the announced length and sends nothing of it', () => {
    const wire = new Wire();
    wire.writer.head(response(200, [['Content-Length', '5']]), false, 'GET', 1);
    wire.body('hel');
    expect(thrownBy(() => wire.body('lo!')).message).toContain('longer than its Content-Length');
    wire.writer.flush();
    expect(afterHead(wire.text)).toBe('hel');
  });

  test('ResponseWriter refuses to end a body that is too short', () => {
    const wire = new Wire();
    wire.writer.head(response(200, [['Content-Length', '5']]), false, 'GET', 1);
    wire.body('hel');
    const error = thrownBy(() => wire.writer.end());
    expect([error.type, error.source]).toEqual(['PrematureBodyEnd', 'Internal']);
    expect(error.message).toContain('2 bytes shorter');
    expect(wire.writer.ended).toBe(false);
  });

  test('ResponseWriter begins anew after reset', () => {
    const wire = new Wire();
    wire.writer.head(response(200), false, 'GET', 1);
    wire.body('hello');
    wire.writer.end();
    expect([wire.writer.started, wire.writer.ended, wire.writer.bodyBytes]).toEqual([true, true, 5]);
    wire.writer.reset(false);
    expect([wire.writer.started, wire.writer.ended, wire.writer.bodyBytes]).toEqual([false, false, 0]);
    wire.writer.head(response(404), true, 'GET', 1);
    wire.writer.end();
    expect(wire.text).toContain('0\r\n\r\nHTTP/1.1 404 ');
    expect(wire.text).toMatch(/Connection: close\r\n\r\n$/);
  });
});

describe('ResponseWriter coalescing', () => {
  test.each([
    ['of a known length', [['Content-Length', '5']] as const, 'hello'],
    ['of chunks', [], CHUNKS],
  ])('ResponseWriter sends head, small body %s and end in one write', (_, fields, sent) => {
    const wire = new Wire();
    wire.writer.head(response(200, fields), false, 'GET', 1);
    expect(wire.body('hello')).toBe(true);
    expect(wire.writes).toHaveLength(0);
    wire.writer.end();
    expect(wire.writes).toHaveLength(1);
    expect(afterHead(wire.text)).toBe(sent);
  });

  test('ResponseWriter sends a head that ends the response in one write, at once', () => {
    const wire = new Wire();
    wire.writer.head(response(200), true, 'GET', 1);
    expect(wire.writes).toHaveLength(1);
    wire.writer.end();
    expect(wire.writes).toHaveLength(1);
  });

  test('ResponseWriter sends on flush what it held back, and then nothing twice', () => {
    const wire = new Wire();
    wire.writer.head(response(200), false, 'GET', 1);
    wire.writer.flush();
    expect(wire.writes).toHaveLength(1);
    wire.body('hello');
    wire.writer.flush();
    wire.writer.flush();
    wire.writer.end();
    expect(wire.writes.slice(1)).toEqual(['5\r\nhello\r\n', '0\r\n\r\n']);
  });

  test('ResponseWriter sends no chunk for an empty piece: it would end the body', () => {
    const wire = new Wire();
    wire.writer.head(response(200), false, 'GET', 1);
    wire.body('');
    wire.body('hello');
    wire.body('');
    wire.writer.end();
    expect(afterHead(wire.text)).toBe(CHUNKS);
  });

  test('ResponseWriter forgets what was held back on discard', () => {
    const wire = new Wire();
    wire.writer.head(response(200), false, 'GET', 1);
    wire.body('hello');
    wire.writer.discard();
    wire.writer.flush();
    expect(wire.writes).toEqual([]);
  });
});
