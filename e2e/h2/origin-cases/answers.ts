/**
 * Origins whose answers are odd: RFC 9113 section 8, and what is tried again.
 */
import { Code, data, Flag, headers, windowUpdate } from '../../src/h2-frames.ts';
import { block, type H2Field } from '../../src/h2-hpack.ts';
import { answerFields, type H2Arrival } from '../../src/h2-origin.ts';
import { badAnswer, cutAnswer, type OriginCase, plain } from '../../src/h2-origin-case.ts';
import { valuesOf } from '../../src/wire-head.ts';

const WHOLE = Flag.END_HEADERS | Flag.END_STREAM;
/** A stream error: PROTOCOL_ERROR is what the RFC asks for. */
const BAD = badAnswer(Code.PROTOCOL_ERROR);
const CUT = cutAnswer(Code.PROTOCOL_ERROR);

function send(...make: ((id: number) => Buffer)[]): (arrival: H2Arrival) => void {
  return ({ connection, stream }) => connection.send(...make.map((one) => one(stream.id)));
}

function bad(name: string, source: string, fields: readonly H2Field[]): OriginCase {
  const script = { onRequest: send((id) => headers(id, block(fields), WHOLE)) };
  return { name, source, script, expect: [BAD] };
}

export const heads: readonly OriginCase[] = [
  bad('no :status', 'RFC 9113 8.3.2', [['x-a', 'b']]),
  bad('an empty head', 'RFC 9113 8.3.2', []),
  bad(':status twice', 'RFC 9113 8.3.2', [
    [':status', '200'],
    [':status', '200'],
  ]),
  bad(':status after a field', 'RFC 9113 8.3', [
    ['x-a', 'b'],
    [':status', '200'],
  ]),
  bad('a pseudo-header field of requests', 'RFC 9113 8.3', [...answerFields(), [':path', '/']]),
  bad('an unknown pseudo-header field', 'RFC 9113 8.3', [...answerFields(), [':x', '/']]),
  ...['', '2', '20', '2000', 'abc', '20x', ' 200', '200 ', '+20', '-20', '0x8', '000', '099', '600', '999'].map(
    (status) => bad(`:status ${JSON.stringify(status)}`, 'RFC 9110 15', [[':status', status]]),
  ),
  bad(':status 101', 'RFC 9113 8.6', [[':status', '101']]),
  ...(
    [
      ['an upper-case name', 'X-Test', 'a'],
      ['an empty name', '', 'a'],
      ['a name with a space', 'x test', 'a'],
      ['a name with CR LF', 'x\r\ny', 'a'],
      ['a value with CR LF and a field', 'x', 'a\r\ninjected: b'],
      ['a value with LF', 'x', 'a\nb'],
      ['a value with NUL', 'x', 'a\x00b'],
      ['a value with a leading space', 'x', ' a'],
      ['a value with a trailing tab', 'x', 'a\t'],
      ['connection', 'connection', 'close'],
      ['keep-alive', 'keep-alive', 'timeout=5'],
      ['proxy-connection', 'proxy-connection', 'close'],
      ['transfer-encoding', 'transfer-encoding', 'chunked'],
      ['upgrade', 'upgrade', 'h2c'],
    ] as const
  ).map(([name, field, value]) => bad(name, 'RFC 9113 8.2', [...answerFields(), [field, value]])),
  ...['-1', '1,2', 'abc', '', '1.0'].map((length) =>
    bad(`content-length ${JSON.stringify(length)}`, 'RFC 9110 8.6', [...answerFields(), ['content-length', length]]),
  ),
  bad('two content-lengths', 'RFC 9110 8.6', [...answerFields(), ['content-length', '0'], ['content-length', '1']]),
  bad('a content-length without a body', 'RFC 9113 8.1.1', [...answerFields(), ['content-length', '5']]),
];

export const bodies: readonly OriginCase[] = [
  {
    name: 'DATA before the head',
    source: 'RFC 9113 8.1',
    script: { onRequest: send((id) => data(id, 'abc', Flag.END_STREAM)) },
    expect: [BAD],
  },
  ...(
    [
      ['shorter than content-length', '10', 'abc'],
      ['longer than content-length', '2', 'abc'],
    ] as const
  ).map(
    ([name, length, body]): OriginCase => ({
      name: `a body ${name}`,
      source: 'RFC 9113 8.1.1',
      script: {
        onRequest: ({ connection, stream }) =>
          connection.answer(stream.id, answerFields(200, ['content-length', length]), body),
      },
      expect: [BAD, CUT],
    }),
  ),
  {
    name: 'a body with content-length',
    source: 'RFC 9113 8.1.1',
    script: {
      onRequest: ({ connection, stream }) =>
        connection.answer(stream.id, answerFields(200, ['content-length', '2']), 'ok'),
    },
    expect: [plain],
    check: (answer) => linesAre(valuesOf(answer.fields, 'content-length'), ['2']),
  },
  {
    name: 'a body without content-length, in pieces and empty pieces',
    source: 'RFC 9113 8.1',
    script: {
      onRequest: send(
        (id) => headers(id, block(answerFields())),
        (id) => data(id, ''),
        (id) => data(id, 'o'),
        (id) => data(id, ''),
        (id) => data(id, 'k'),
        (id) => data(id, '', Flag.END_STREAM),
      ),
    },
    expect: [plain],
  },
  {
    name: 'no body at all',
    source: 'RFC 9113 8.1',
    script: { onRequest: ({ connection, stream }) => connection.answer(stream.id) },
    expect: [{ status: 200, body: '', upstream: 'kept' }],
  },
  {
    name: 'HEAD',
    source: 'RFC 9110 9.3.2',
    request: 'HEAD / HTTP/1.1\r\nHost: a.example\r\n\r\n',
    methods: ['HEAD'],
    script: {
      onRequest: ({ connection, stream }) => connection.answer(stream.id, answerFields(200, ['content-length', '5'])),
    },
    expect: [{ status: 200, upstream: 'kept' }],
    check: (answer) => linesAre(valuesOf(answer.fields, 'content-length'), ['5']),
  },
  {
    name: 'HEAD that is answered with a body',
    source: 'RFC 9113 8.1.1',
    request: 'HEAD / HTTP/1.1\r\nHost: a.example\r\n\r\n',
    methods: ['HEAD'],
    script: { onRequest: ({ connection, stream }) => connection.answer(stream.id, answerFields(), 'abc') },
    expect: [
      { status: 200, upstream: 'any' },
      { status: 502, upstream: 'any' },
    ],
  },
  ...[204, 304].map(
    (status): OriginCase => ({
      name: `an answer of ${status}`,
      source: 'RFC 9110 6.4.1',
      script: {
        onRequest: ({ connection, stream }) => connection.answer(stream.id, answerFields(status, ['etag', '"a"'])),
      },
      expect: [{ status, upstream: 'kept' }],
    }),
  ),
  {
    name: '204 with a body',
    source: 'RFC 9110 15.3.5',
    script: { onRequest: ({ connection, stream }) => connection.answer(stream.id, answerFields(204), 'abc') },
    expect: [
      { status: 204, upstream: 'any' },
      { status: 502, upstream: 'any' },
    ],
  },
  ...(
    [
      ['DATA', (id) => data(id, 'more')],
      ['HEADERS', (id) => headers(id, block([['x', 'y']]), WHOLE)],
    ] as readonly (readonly [string, (id: number) => Buffer])[]
  ).map(
    ([name, make]): OriginCase => ({
      name: `${name} after the end of the answer`,
      source: 'RFC 9113 5.1',
      script: {
        onRequest: ({ connection, stream }) => {
          connection.answer(stream.id, answerFields(200, ['content-length', '2']), 'ok');
          connection.send(make(stream.id));
        },
      },
      expect: [{ status: 200, body: 'ok', upstream: 'any' }],
    }),
  ),
  {
    name: 'WINDOW_UPDATE of 0 on the stream',
    source: 'RFC 9113 6.9',
    script: { onRequest: send((id) => windowUpdate(id, 0)) },
    expect: [BAD],
  },
  {
    name: 'a window of the stream beyond 2^31-1',
    source: 'RFC 9113 6.9.1',
    script: { onRequest: send((id) => windowUpdate(id, 0x7fffffff)) },
    expect: [badAnswer(Code.FLOW_CONTROL_ERROR)],
  },
];

export const trailersAndInterim: readonly OriginCase[] = [
  {
    name: 'trailers reach a client that asks for them',
    source: 'RFC 9113 8.1',
    request: 'GET / HTTP/1.1\r\nHost: a.example\r\nTE: trailers\r\nConnection: TE\r\n\r\n',
    script: {
      onRequest: send(
        (id) => headers(id, block(answerFields())),
        (id) => data(id, 'ok'),
        (id) => headers(id, block([['x-sum', '42']]), WHOLE),
      ),
    },
    expect: [plain],
    check: (answer, arrived) => {
      linesAre(valuesOf(answer.body.trailers, 'x-sum'), ['42']);
      linesAre(
        (arrived.head ?? []).filter(([name]) => name === 'te').map(([, value]) => value),
        ['trailers'],
      );
    },
  },
  {
    name: 'trailers without a body',
    source: 'RFC 9113 8.1',
    script: {
      onRequest: send(
        (id) => headers(id, block(answerFields())),
        (id) => headers(id, block([['x-sum', '42']]), WHOLE),
      ),
    },
    expect: [{ status: 200, body: '', upstream: 'kept' }],
  },
  ...(
    [
      ['without END_STREAM', [['x', 'y']], Flag.END_HEADERS],
      ['with a pseudo-header field', [[':status', '200']], WHOLE],
      ['with an upper-case name', [['X', 'y']], WHOLE],
      ['with a connection-specific field', [['connection', 'close']], WHOLE],
    ] as readonly (readonly [string, readonly H2Field[], number])[]
  ).map(
    ([name, fields, flags]): OriginCase => ({
      name: `trailers ${name}`,
      source: 'RFC 9113 8.1, 8.3',
      script: {
        onRequest: send(
          (id) => headers(id, block(answerFields())),
          (id) => data(id, 'abc'),
          (id) => headers(id, block(fields), flags),
        ),
      },
      expect: [BAD, CUT],
    }),
  ),
  {
    name: 'interim answers',
    source: 'RFC 9113 8.1',
    script: {
      onRequest: ({ connection, stream }) => {
        connection.send(headers(stream.id, block(answerFields(103, ['link', '</a>']))));
        connection.send(headers(stream.id, block(answerFields(103, ['link', '</b>']))));
        connection.answer(stream.id, answerFields(), 'ok');
      },
    },
    expect: [plain],
    check: (_answer, _arrived, client) =>
      linesAre(
        client.interim.map(({ status }) => String(status)),
        ['103', '103'],
      ),
  },
  {
    name: 'an interim answer that ends the stream',
    source: 'RFC 9113 8.1.1',
    script: { onRequest: send((id) => headers(id, block(answerFields(103)), WHOLE)) },
    expect: [BAD],
  },
  {
    name: 'an interim answer with DATA',
    source: 'RFC 9113 8.1',
    script: {
      onRequest: send(
        (id) => headers(id, block(answerFields(103))),
        (id) => data(id, 'abc', Flag.END_STREAM),
      ),
    },
    expect: [BAD],
  },
  {
    name: 'interim answers without an end',
    source: 'RFC 9110 15.2',
    script: {
      onRequest: ({ connection, stream }) => {
        for (let count = 0; count < 1_000; count++) connection.send(headers(stream.id, block(answerFields(103))));
      },
    },
    expect: [{ status: 502, upstream: 'any' }],
  },
];

function linesAre(lines: readonly string[], wanted: readonly string[]): void {
  if (lines.join('|') !== wanted.join('|')) throw new Error(`got ${lines.join('|')}, wanted ${wanted.join('|')}`);
}
