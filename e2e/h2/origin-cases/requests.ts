/**
 * Requests of HTTP/1.1 clients as an HTTP/2 origin gets them: RFC 9113 section 8. That they are well-formed is judged in
 * every case by the origin itself.
 */
import { Setting, settings } from '../../src/h2-frames.ts';
import { type OriginCase, plain, requestLines } from '../../src/h2-origin-case.ts';
import type { H2StreamRecord } from '../../src/h2-stream-record.ts';

function passes(
  name: string,
  source: string,
  lines: readonly string[],
  has: readonly string[],
  lacks: readonly string[] = [],
  more: (stream: H2StreamRecord) => void = () => {},
): OriginCase {
  return {
    name,
    source,
    request: lines.join('\r\n'),
    methods: [lines[0]?.split(' ')[0] ?? ''],
    script: {},
    expect: [{ status: 200, upstream: 'kept' }],
    check: (_, arrived) => {
      const got = requestLines(arrived);
      const missing = has.filter((line) => !got.includes(line));
      const extra = got.filter((line) => lacks.some((one) => line.startsWith(`${one}:`)));
      if (missing.length + extra.length > 0)
        throw new Error(`missing ${missing}, not wanted ${extra}: ${got.join(' | ')}`);
      more(arrived);
    },
  };
}

function bodyIs(text: string): (stream: H2StreamRecord) => void {
  return ({ body }) => {
    if (body.toString('latin1') !== text) throw new Error(`body at the origin: ${body.length} octets`);
  };
}

const HOST = 'Host: a.example:81';

export const requests: readonly OriginCase[] = [
  passes(
    'the request line and Host become pseudo-header fields',
    'RFC 9113 8.3.1',
    ['GET /a/b?c=d HTTP/1.1', HOST, 'X-Test: A', '', ''],
    [':method: GET', ':scheme: http', ':path: /a/b?c=d', ':authority: a.example:81', 'x-test: A'],
    ['X-Test'],
  ),
  passes('HTTP/1.0', 'RFC 9112 3.2', ['GET / HTTP/1.0', HOST, '', ''], [':authority: a.example:81']),
  passes(
    'the absolute form',
    'RFC 9112 3.2.2',
    ['GET http://b.example/x HTTP/1.1', 'Host: b.example', '', ''],
    [':path: /x', ':authority: b.example'],
  ),
  passes('OPTIONS *', 'RFC 9113 8.3.1', ['OPTIONS * HTTP/1.1', HOST, '', ''], [':method: OPTIONS', ':path: *']),
  passes('HEAD', 'RFC 9110 9.3.2', ['HEAD / HTTP/1.1', HOST, '', ''], [':method: HEAD']),
  passes(
    'connection-specific fields stay behind',
    'RFC 9113 8.2.2',
    [
      'GET / HTTP/1.1',
      HOST,
      'Connection: keep-alive, X-Hop',
      'Keep-Alive: timeout=5',
      'Proxy-Connection: keep-alive',
      'X-Hop: 1',
      'X-Keep: 1',
      '',
      '',
    ],
    ['x-keep: 1'],
    ['connection', 'keep-alive', 'proxy-connection', 'x-hop', 'upgrade', 'transfer-encoding', 'host'],
  ),
  passes(
    'of TE only trailers is left',
    'RFC 9113 8.2.2',
    ['GET / HTTP/1.1', HOST, 'TE: gzip, trailers', 'Connection: TE', '', ''],
    ['te: trailers'],
  ),
  passes(
    'fields of one name keep their order, cookies their values',
    'RFC 9110 5.3',
    ['GET / HTTP/1.1', HOST, 'X-A: 1', 'X-B: 2', 'X-A: 3', 'Cookie: a=b; c=d', '', ''],
    ['x-a: 1', 'x-b: 2', 'x-a: 3'],
    [],
    ({ head = [] }) => {
      const cookies = head.filter(([field]) => field === 'cookie').map(([, value]) => value);
      if (cookies.join('; ') !== 'a=b; c=d') throw new Error(`cookies ${cookies.join('; ')}`);
    },
  ),
  passes(
    'octets above 0x7f and inner blanks',
    'RFC 9110 5.5',
    ['GET / HTTP/1.1', HOST, 'X-A: \xe9 \t \xff', '', ''],
    ['x-a: \xe9 \t \xff'],
  ),
  passes(
    'a body with Content-Length',
    'RFC 9113 8.1',
    ['POST / HTTP/1.1', HOST, 'Content-Length: 3', '', 'abc'],
    ['content-length: 3'],
    [],
    bodyIs('abc'),
  ),
  passes(
    'a chunked body',
    'RFC 9113 8.1',
    ['POST / HTTP/1.1', HOST, 'Transfer-Encoding: chunked', '', '3', 'abc', '3;x=y', 'def', '0', '', ''],
    [],
    ['content-length', 'transfer-encoding'],
    bodyIs('abcdef'),
  ),
  passes(
    'an empty chunked body',
    'RFC 9113 8.1',
    ['POST / HTTP/1.1', HOST, 'Transfer-Encoding: chunked', '', '0', '', ''],
    [],
    ['transfer-encoding'],
    bodyIs(''),
  ),
  passes(
    'trailers of a chunked body',
    'RFC 9113 8.1',
    ['POST / HTTP/1.1', HOST, 'Transfer-Encoding: chunked', 'Trailer: X-Sum', '', '3', 'abc', '0', 'X-Sum: 42', '', ''],
    [],
    ['transfer-encoding'],
    ({ trailers }) => {
      if (JSON.stringify(trailers) !== '[["x-sum","42"]]') throw new Error(`trailers ${JSON.stringify(trailers)}`);
    },
  ),
  {
    name: 'a large body through windows of any size',
    source: 'RFC 9113 6.9',
    request: `POST / HTTP/1.1\r\n${HOST}\r\nContent-Length: 300000\r\n\r\n${'x'.repeat(300_000)}`,
    script: { greeting: [settings([Setting.INITIAL_WINDOW_SIZE, 1_000])] },
    expect: [plain],
    check: (_, arrived) => bodyIs('x'.repeat(300_000))(arrived),
  },
  {
    name: 'a body that waits for a window of 0 to open',
    source: 'RFC 9113 6.9.2',
    warm: true,
    request: `POST / HTTP/1.1\r\n${HOST}\r\nContent-Length: 3\r\n\r\nabc`,
    script: {
      greeting: [settings([Setting.INITIAL_WINDOW_SIZE, 0])],
      onHead: async ({ connection, stream }) => {
        await connection.roundTrip();
        if (stream.bodySize > 0) throw new Error('octets without a window');
        connection.send(settings([Setting.INITIAL_WINDOW_SIZE, 10]));
        await connection.until(() => stream.ended, 'the end of the body');
        connection.answer(stream.id, [[':status', '200']], 'ok');
      },
    },
    expect: [plain],
    check: (_, arrived) => bodyIs('abc')(arrived),
  },
];
