/**
 * Fields, interim responses and limits of responses (RFC 9110 sections 5.3, 7.6.1 and 15.2, RFC 9112 section 9).
 */
import { badGateway, head, type ResponseCase, type ResponseOutcome } from '../src/case.ts';

const OK = 'HTTP/1.1 200 OK';
const LENGTH = 'Content-Length: 5';
const DATE = 'Date: Sun, 06 Nov 1994 08:49:37 GMT';
const OLD_REQUEST = head('GET /case HTTP/1.0', 'Host: h.example');
const UPGRADE_REQUEST = head('GET /case HTTP/1.1', 'Host: h.example', 'Connection: Upgrade', 'Upgrade: chat/2');

const hello: ResponseOutcome = { status: 200, body: 'hello', end: 'complete', client: 'kept', upstream: 'reused' };

function answer(...lines: string[]): string {
  return `${head(OK, ...lines, LENGTH)}hello`;
}

const preserved: ResponseCase[] = [
  {
    name: 'order, case and duplicates of fields stay as they are',
    source: 'RFC 9110 5.3',
    bytes: answer('X-b: 1', 'x-A: 2', DATE, 'X-B: 3', 'X-A: 4', 'X-b: 1'),
    expect: [{ ...hello, inOrder: ['X-b: 1', 'x-A: 2', DATE, 'X-B: 3', 'X-A: 4', 'X-b: 1', LENGTH] }],
  },
  {
    name: 'Set-Cookie lines are never joined',
    source: 'RFC 9110 5.3',
    bytes: answer('Set-Cookie: a=1; Expires=Sun, 06 Nov 1994 08:49:37 GMT', 'Set-Cookie: b=2', 'set-cookie: c=3'),
    expect: [
      {
        ...hello,
        inOrder: ['Set-Cookie: a=1; Expires=Sun, 06 Nov 1994 08:49:37 GMT', 'Set-Cookie: b=2', 'set-cookie: c=3'],
      },
    ],
  },
  {
    name: 'a Date of the origin stays',
    source: 'RFC 9110 6.6.1',
    bytes: answer(DATE),
    expect: [{ ...hello, inOrder: [DATE] }],
  },
  {
    name: 'a missing Date is added, nothing else',
    source: 'RFC 9110 6.6.1',
    bytes: answer('X-A: 1'),
    expect: [{ ...hello, inOrder: ['X-A: 1'], lacks: ['Server', 'Via', 'X-Powered-By'] }],
  },
  {
    name: 'Server, Via and Age of the origin pass',
    source: 'RFC 9110 7.6.3, 10.2.4',
    bytes: answer('Server: origin/1', 'Via: 1.1 a', 'Age: 5'),
    expect: [{ ...hello, inOrder: ['Server: origin/1', 'Via: 1.1 a', 'Age: 5'] }],
  },
  {
    name: '200 fields',
    source: 'architecture section 3',
    bytes: answer(...Array.from({ length: 199 }, (_, index) => `X-${index}: ${index}`)),
    expect: [{ ...hello, inOrder: ['X-0: 0', 'X-198: 198', LENGTH] }],
  },
];

const hops: readonly (readonly [name: string, lines: readonly string[], lacks: readonly string[]])[] = [
  ['a nominated field', ['Connection: X-Hop', 'X-Hop: 1'], ['X-Hop']],
  ['a nominated field in other case', ['X-Hop: 1', 'connection: keep-alive, x-hOP'], ['X-Hop']],
  ['nominations in two lines', ['Connection: X-A', 'Connection: X-B', 'X-A: 1', 'X-B: 1'], ['X-A', 'X-B']],
  ['Keep-Alive', ['Keep-Alive: timeout=5'], ['Keep-Alive']],
  ['Proxy-Connection', ['Proxy-Connection: keep-alive'], ['Proxy-Connection']],
  ['Upgrade', ['Connection: Upgrade', 'Upgrade: h2c'], ['Upgrade']],
  ['Upgrade that is not nominated', ['Upgrade: h2c'], ['Upgrade']],
  ['TE', ['TE: trailers'], ['TE']],
];

const stripped: ResponseCase[] = hops.map(([name, lines, lacks]) => ({
  name: `${name} of the origin is removed`,
  source: 'RFC 9110 7.6.1',
  bytes: answer(...lines, 'X-Last: 1'),
  expect: [{ ...hello, inOrder: ['X-Last: 1'], lacks }],
}));

const HINTS = head('HTTP/1.1 103 Early Hints', 'Link: </style.css>; rel=preload');
const CONTINUE = head('HTTP/1.1 100 Continue');

const interim: ResponseCase[] = [
  {
    name: 'an interim response is passed on',
    source: 'RFC 9110 15.2',
    bytes: HINTS + answer(),
    expect: [{ ...hello, interim: [103] }],
  },
  {
    name: 'several interim responses are passed on in order',
    source: 'RFC 9110 15.2',
    bytes: head('HTTP/1.1 102 Processing') + HINTS + HINTS + answer(),
    expect: [{ ...hello, interim: [102, 103, 103] }],
  },
  {
    name: 'an unknown interim code is passed on',
    source: 'RFC 9110 15',
    bytes: head('HTTP/1.1 199 Odd') + answer(),
    expect: [{ ...hello, interim: [199] }],
  },
  {
    name: 'no interim response for an HTTP/1.0 client',
    source: 'RFC 9110 15.2',
    request: OLD_REQUEST,
    bytes: HINTS + CONTINUE + answer(),
    expect: [{ ...hello, client: 'closed', interim: [] }],
  },
  {
    name: 'framing fields of an interim response mean nothing',
    source: 'RFC 9112 6.3',
    bytes: head('HTTP/1.1 103 Early Hints', 'Content-Length: 20') + answer(),
    expect: [{ ...hello, interim: [103] }, ...badGateway()],
  },
  {
    name: 'Transfer-Encoding of an interim response means nothing',
    source: 'RFC 9112 6.1',
    bytes: head('HTTP/1.1 103 Early Hints', 'Transfer-Encoding: chunked') + answer(),
    expect: [{ ...hello, interim: [103] }, ...badGateway()],
  },
  {
    name: 'twenty interim responses',
    source: 'security section 2.2: at most 20',
    bytes: HINTS.repeat(20) + answer(),
    expect: [{ ...hello, interim: Array(20).fill(103) }],
  },
  {
    name: 'twenty-one interim responses',
    source: 'security section 2.2: at most 20',
    bytes: HINTS.repeat(21) + answer(),
    expect: badGateway(),
  },
  {
    name: 'interim responses without end',
    source: 'security section 2.2: at most 20',
    bytes: HINTS.repeat(2_000),
    expect: badGateway(),
    large: true,
  },
  {
    name: 'a malformed interim response',
    source: 'RFC 9112 5',
    bytes: head('HTTP/1.1 103 Early Hints', 'X A: 1') + answer(),
    expect: badGateway(),
  },
];

const switching = head('HTTP/1.1 101 Switching Protocols', 'Connection: Upgrade', 'Upgrade: websocket');

const upgrades: ResponseCase[] = [
  {
    name: '101 that nobody asked for',
    source: 'RFC 9110 15.2.2',
    bytes: switching,
    expect: badGateway(),
  },
  {
    name: '101 followed by octets of another protocol',
    source: 'RFC 9110 15.2.2',
    bytes: `${switching}\x81\x05hello`,
    expect: badGateway(),
  },
  {
    name: '101 after an Upgrade that was not passed on',
    source: 'RFC 9110 7.8',
    request: UPGRADE_REQUEST,
    bytes: switching,
    expect: badGateway(),
  },
  {
    name: '101 followed by a final response',
    source: 'RFC 9110 15.2.2',
    bytes: switching + answer(),
    expect: badGateway(),
  },
];

const limits: ResponseCase[] = [
  {
    name: 'a head of 60 KiB',
    source: 'security section 2.2: 64 KiB and 200 lines',
    bytes: answer(`X-Long: ${'x'.repeat(61_300)}`),
    expect: [{ ...hello, inOrder: [`X-Long: ${'x'.repeat(61_300)}`] }],
    large: true,
  },
  {
    name: 'a head of 65 KiB',
    source: 'security section 2.2: 64 KiB and 200 lines',
    bytes: answer(`X-Long: ${'x'.repeat(66_500)}`),
    expect: badGateway(),
    large: true,
  },
  {
    name: 'a head of 2 MB',
    source: 'security section 2.2: 64 KiB and 200 lines',
    bytes: answer(`X-Long: ${'x'.repeat(2_000_000)}`),
    expect: badGateway(),
    large: true,
  },
  {
    name: 'a status line without end',
    source: 'security section 2.2: 64 KiB and 200 lines',
    bytes: `HTTP/1.1 200 ${'x'.repeat(200_000)}`,
    expect: badGateway(),
    large: true,
  },
  {
    name: '201 fields',
    source: 'security section 2.2: 64 KiB and 200 lines',
    bytes: answer(...Array<string>(200).fill('X-A: 1')),
    expect: badGateway(),
  },
  {
    name: '50000 fields',
    source: 'security section 2.2: 64 KiB and 200 lines',
    bytes: answer(...Array<string>(50_000).fill('a:b')),
    expect: badGateway(),
    large: true,
  },
];

export const responseFieldCases: readonly ResponseCase[] = [
  ...preserved,
  ...stripped,
  ...interim,
  ...upgrades,
  ...limits,
];
