/**
 * Connection, hop-by-hop fields, upgrades and persistence on the client side
 * (RFC 9110 sections 7.6.1 and 7.8, RFC 9112 section 9).
 */
import { accepted, acceptedAndClosed, head, type RequestCase, refused } from '../src/case.ts';

const HOST = 'Host: h.example';

function withLines(...lines: string[]): string {
  return head('GET /hop HTTP/1.1', HOST, ...lines, 'X-Last: 1');
}

const clean = { target: '/hop', exactly: [HOST, 'X-Last: 1'] };

const stripped: readonly (readonly [name: string, ...lines: string[]])[] = [
  ['Connection: keep-alive', 'Connection: keep-alive'],
  ['Connection with an unknown option', 'Connection: x-unknown'],
  ['a nominated field', 'Connection: X-Hop', 'X-Hop: 1'],
  ['a nominated field before Connection', 'X-Hop: 1', 'Connection: X-Hop'],
  ['a nominated field in other case', 'Connection: x-hOP', 'X-Hop: 1'],
  ['a nominated field that occurs twice', 'Connection: X-Hop', 'X-Hop: 1', 'x-hop: 2'],
  ['two nominations in one line', 'Connection: X-Hop, X-Other', 'X-Hop: 1', 'X-Other: 1'],
  ['nominations in two lines', 'Connection: X-Hop', 'X-Hop: 1', 'Connection: X-Other', 'X-Other: 1'],
  ['a nomination beside keep-alive', 'Connection: keep-alive, X-Hop', 'X-Hop: 1'],
  ['a nomination without white space', 'Connection: keep-alive,X-Hop', 'X-Hop: 1'],
  ['a nominated Cookie', 'Connection: Cookie', 'Cookie: a=1'],
  ['a nominated Authorization', 'Connection: Authorization', 'Authorization: Basic YTpi'],
  ['Keep-Alive', 'Keep-Alive: timeout=5, max=100'],
  ['Proxy-Connection', 'Proxy-Connection: keep-alive'],
  ['Proxy-Connection: close', 'Proxy-Connection: close'],
  ['TE without trailers', 'Connection: TE', 'TE: deflate'],
  ['TE that is not nominated', 'TE: trailers'],
  ['Trailer', 'Trailer: X-Trailer'],
  ['Proxy-Authorization', 'Proxy-Authorization: Basic YTpi'],
  ['Upgrade to h2c', 'Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAAP__'],
  ['Upgrade to another protocol', 'Connection: Upgrade', 'Upgrade: chat/2'],
  ['Upgrade that is not nominated', 'Upgrade: websocket'],
  ['HTTP2-Settings that is not nominated', 'HTTP2-Settings: AAMAAABkAAQAAP__'],
  [
    'nine nominations',
    'Connection: A, B, C, D, E, F, G, H, I',
    ...['A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I'].map((name) => `${name}: 1`),
  ],
];

const gone: RequestCase[] = stripped.map(([name, ...lines]) => ({
  name: `${name}: removed`,
  source: 'RFC 9110 7.6.1',
  bytes: withLines(...lines),
  expect: accepted(clean),
}));

const nominations: readonly (readonly [name: string, ...lines: string[]])[] = [
  ['Host', 'Connection: Host'],
  ['Host in other case', 'Connection: keep-alive, hOST'],
  ['X-Forwarded-For', 'Connection: X-Forwarded-For', 'X-Forwarded-For: 192.0.2.1'],
  ['X-Forwarded-Host', 'Connection: X-Forwarded-Host'],
  ['X-Forwarded-Proto', 'Connection: X-Forwarded-Proto'],
  ['a pseudo-header', 'Connection: :authority'],
  ['ten fields', 'Connection: A, B, C, D, E, F, G, H, I, J'],
  ['ten fields in two lines', 'Connection: A, B, C, D, E', 'Connection: F, G, H, I, J'],
  ['two words without a comma', 'Connection: X-Hop X-Other'],
  ['a quoted name', 'Connection: "X-Hop"', 'X-Hop: 1'],
  ['a name with an at sign', 'Connection: X@Hop'],
  ['a name with a slash', 'Connection: X/Hop'],
  ['a parameter', 'Connection: X-Hop;a=b', 'X-Hop: 1'],
  ['an octet above 127', 'Connection: X-Hop\xe9'],
];

const refusedNominations: RequestCase[] = nominations.map(([name, ...lines]) => ({
  name: `Connection nominates ${name}`,
  source: 'hop-by-hop abuse (CVE-2026-105299 class); pingora 13.2',
  bytes: withLines(...lines),
  expect: refused(400),
}));

const framing: RequestCase[] = [
  {
    name: 'Connection nominates Content-Length: the framing survives or the request is refused',
    source: 'hop-by-hop abuse; RFC 9110 7.6.1',
    bytes: `${head('POST /hop HTTP/1.1', HOST, 'Connection: Content-Length', 'Content-Length: 5')}hello`,
    expect: [...refused(400), ...accepted({ body: 'hello' })],
  },
  {
    name: 'Connection nominates Transfer-Encoding: the framing survives or the request is refused',
    source: 'hop-by-hop abuse; RFC 9110 7.6.1',
    bytes: `${head('POST /hop HTTP/1.1', HOST, 'Connection: Transfer-Encoding', 'Transfer-Encoding: chunked')}5\r\nhello\r\n0\r\n\r\n`,
    expect: [...refused(400), ...accepted({ body: 'hello' })],
  },
  {
    name: 'empty members of Connection',
    source: 'RFC 9110 5.6.1',
    bytes: withLines('Connection: , ,X-Hop,', 'X-Hop: 1'),
    expect: [...accepted(clean), ...refused(400)],
  },
  {
    name: 'an empty Connection',
    source: 'RFC 9110 5.6.1',
    bytes: withLines('Connection:'),
    expect: [...accepted(clean), ...refused(400)],
  },
];

const closing: RequestCase[] = [
  ...['close', 'CLOSE', 'keep-alive, close', 'close, keep-alive'].map(
    (value): RequestCase => ({
      name: `Connection: ${value} closes after the answer`,
      source: 'RFC 9112 9.6',
      bytes: withLines(`Connection: ${value}`),
      expect: acceptedAndClosed(clean),
    }),
  ),
  {
    name: 'close in the second of two Connection lines',
    source: 'RFC 9112 9.6; RFC 9110 5.3',
    bytes: withLines('Connection: keep-alive', 'Connection: close'),
    expect: acceptedAndClosed(clean),
  },
  {
    name: 'a request after Connection: close is not answered',
    source: 'RFC 9112 9.6',
    bytes: withLines('Connection: close') + head('GET /after-close HTTP/1.1', HOST),
    expect: acceptedAndClosed(clean),
  },
  {
    name: 'HTTP/1.0 without keep-alive closes',
    source: 'RFC 9112 9.3',
    bytes: head('GET /hop HTTP/1.0', HOST),
    expect: acceptedAndClosed({ target: '/hop' }),
  },
  {
    name: 'HTTP/1.0: a second request without keep-alive is not answered',
    source: 'RFC 9112 9.3',
    bytes: head('GET /hop HTTP/1.0', HOST) + head('GET /after-close HTTP/1.0', HOST),
    expect: acceptedAndClosed({ target: '/hop' }),
  },
  {
    name: 'HTTP/1.0 with close',
    source: 'RFC 9112 9.3',
    bytes: head('GET /hop HTTP/1.0', HOST, 'Connection: close'),
    expect: acceptedAndClosed({ target: '/hop' }),
  },
];

const tunnels: RequestCase[] = [
  {
    name: 'what follows an upgrade request is read as HTTP',
    source: 'CVE-2026-2833 class; RFC 9110 7.8',
    bytes: withLines('Connection: Upgrade', 'Upgrade: websocket') + head('GET /second HTTP/1.1', HOST),
    expect: accepted({ inOrder: ['Connection: Upgrade', 'Upgrade: websocket'] }, { target: '/second' }),
  },
  {
    name: 'only what the client says of trailers is said again',
    source: 'RFC 9110 10.1.4',
    bytes: withLines('Connection: TE', 'TE: trailers, deflate'),
    expect: accepted({ inOrder: ['TE: trailers', 'Connection: TE'] }),
  },
  {
    name: 'the body of an upgrade request stays framed',
    source: 'CVE-2026-58055 class; RFC 9110 7.8',
    bytes:
      head('POST /upgrade HTTP/1.1', HOST, 'Connection: Upgrade', 'Upgrade: websocket', 'Content-Length: 5') +
      `hello${head('GET /second HTTP/1.1', HOST)}`,
    expect: accepted(
      { target: '/upgrade', body: 'hello', inOrder: ['Connection: Upgrade', 'Upgrade: websocket'] },
      { target: '/second', body: '' },
    ),
  },
  {
    name: 'Upgrade on 1.0 is ignored',
    source: 'RFC 9110 7.8',
    bytes: head('GET /upgrade HTTP/1.0', HOST, 'Connection: Upgrade', 'Upgrade: websocket'),
    expect: acceptedAndClosed({ target: '/upgrade', lacks: ['Upgrade', 'Connection'] }),
  },
];

export const connectionCases: readonly RequestCase[] = [
  ...gone,
  ...refusedNominations,
  ...framing,
  ...closing,
  ...tunnels,
];
