/**
 * Several requests in one go: answered in order, never past an error, and no body taken for a request
 * (RFC 9112 sections 9.3.2 and 9.6).
 */
import { accepted, head, type RequestCase } from '../src/case.ts';

const HOST = 'Host: h.example';
const SOURCE = 'RFC 9112 9.3.2';

function get(target: string, ...lines: string[]): string {
  return head(`GET ${target} HTTP/1.1`, HOST, ...lines);
}

const twenty = Array.from({ length: 20 }, (_, index) => `/pipelined/${index}`);
const bad = head('GET / HTTP/1.1', HOST, 'X A: 1');

export const pipelineCases: readonly RequestCase[] = [
  {
    name: 'three requests',
    source: SOURCE,
    bytes: get('/1') + get('/2') + get('/3'),
    expect: accepted({ target: '/1' }, { target: '/2' }, { target: '/3' }),
  },
  {
    name: 'twenty requests',
    source: SOURCE,
    bytes: twenty.map((target) => get(target)).join(''),
    expect: accepted(...twenty.map((target) => ({ target }))),
  },
  {
    name: 'a body by length between two requests',
    source: SOURCE,
    bytes: `${get('/1')}${head('POST /2 HTTP/1.1', HOST, 'Content-Length: 5')}hello${get('/3')}`,
    expect: accepted({ target: '/1' }, { target: '/2', body: 'hello' }, { target: '/3' }),
  },
  {
    name: 'a chunked body between two requests',
    source: SOURCE,
    bytes: `${get('/1')}${head('POST /2 HTTP/1.1', HOST, 'Transfer-Encoding: chunked')}5\r\nhello\r\n0\r\n\r\n${get('/3')}`,
    expect: accepted({ target: '/1' }, { target: '/2', body: 'hello' }, { target: '/3' }),
  },
  {
    name: 'a chunked body with trailers before a request',
    source: SOURCE,
    bytes: `${head('POST /1 HTTP/1.1', HOST, 'Transfer-Encoding: chunked')}5\r\nhello\r\n0\r\nX-T: 1\r\n\r\n${get('/2')}`,
    expect: accepted({ target: '/1', body: 'hello' }, { target: '/2', lacks: ['X-T'] }),
  },
  {
    name: 'a body on GET before a request',
    source: SOURCE,
    bytes: `${get('/1', 'Content-Length: 5')}hello${get('/2')}`,
    expect: accepted({ target: '/1', body: 'hello' }, { target: '/2', body: '' }),
  },
  {
    name: 'one CRLF too many after a body',
    source: 'RFC 9112 2.2',
    bytes: `${head('POST /1 HTTP/1.1', HOST, 'Content-Length: 5')}hello\r\n${get('/2')}`,
    expect: accepted({ target: '/1', body: 'hello' }, { target: '/2' }),
  },
  {
    name: 'HEAD between two requests',
    source: SOURCE,
    bytes: `${get('/1')}${head('HEAD /2 HTTP/1.1', HOST)}${get('/3')}`,
    methods: ['GET', 'HEAD', 'GET'],
    expect: accepted({ target: '/1' }, { target: '/2', method: 'HEAD' }, { target: '/3' }),
  },
  {
    name: 'a malformed request after a good one',
    source: SOURCE,
    bytes: get('/1') + bad + get('/never'),
    expect: [{ answers: [200, 400], connection: 'closed', origin: { complete: 1 }, forwarded: [{ target: '/1' }] }],
  },
  {
    name: 'a malformed request after a body',
    source: SOURCE,
    bytes: `${head('POST /1 HTTP/1.1', HOST, 'Content-Length: 5')}hello${bad}${get('/never')}`,
    expect: [{ answers: [200, 400], connection: 'closed', origin: { complete: 1 }, forwarded: [{ body: 'hello' }] }],
  },
  {
    name: 'nothing is read after a malformed request',
    source: SOURCE,
    bytes: bad + get('/never') + get('/never'),
    expect: [{ answers: [400], connection: 'closed', origin: { complete: 0 } }],
  },
  {
    name: 'nothing is read after an ambiguous length',
    source: 'RFC 9112 6.3',
    bytes: `${head('POST /1 HTTP/1.1', HOST, 'Content-Length: 5', 'Transfer-Encoding: chunked')}0\r\n\r\n${get('/never')}`,
    expect: [{ answers: [400], connection: 'closed', origin: { complete: 0 } }],
  },
  {
    name: 'close in the middle of three',
    source: 'RFC 9112 9.6',
    bytes: get('/1') + get('/2', 'Connection: close') + get('/never'),
    expect: [
      {
        answers: [200, 200],
        connection: 'closed',
        origin: { complete: 2 },
        forwarded: [{ target: '/1' }, { target: '/2' }],
      },
    ],
  },
  {
    name: 'an unknown expectation: its body is not taken for a request',
    source: 'RFC 9110 10.1.1',
    bytes: `${head('POST /1 HTTP/1.1', HOST, 'Expect: nonsense', `Content-Length: ${get('/smuggled').length}`)}${get('/smuggled')}`,
    expect: [{ answers: [417], connection: 'either', origin: { complete: 0 } }],
  },
  ...['nonsense', '100-continued', '100-continue, nonsense', '200-ok'].map(
    (value): RequestCase => ({
      name: `Expect: ${value}`,
      source: 'RFC 9110 10.1.1',
      bytes: get('/1', `Expect: ${value}`),
      expect: [{ answers: [417], connection: 'either', origin: { complete: 0 } }],
    }),
  ),
  {
    name: 'Expect: 100-continue without a body',
    source: 'RFC 9110 10.1.1',
    bytes: get('/1', 'Expect: 100-continue'),
    expect: accepted({ target: '/1' }),
  },
  {
    name: 'Expect: 100-continue with the body on its heels',
    source: 'RFC 9110 10.1.1',
    bytes: `${head('POST /1 HTTP/1.1', HOST, 'Expect: 100-Continue', 'Content-Length: 5')}hello`,
    expect: accepted({ target: '/1', body: 'hello' }),
  },
];
