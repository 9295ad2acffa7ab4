/**
 * How streams and connections of origins end, what of it is tried again, and heads that are too large.
 */
import { Code, continuation, data, Flag, goaway, headers, rstStream } from '../../src/h2-frames.ts';
import { block, type H2Field } from '../../src/h2-hpack.ts';
import { answerFields, type H2Arrival } from '../../src/h2-origin.ts';
import { badAnswer, cutAnswer, fieldLines, type OriginCase, plain } from '../../src/h2-origin-case.ts';

const WHOLE = Flag.END_HEADERS | Flag.END_STREAM;
/** A stream error: PROTOCOL_ERROR is what the RFC asks for. */
const BAD = badAnswer(Code.PROTOCOL_ERROR);
const _CUT = cutAnswer(Code.PROTOCOL_ERROR);

function send(...make: ((id: number) => Buffer)[]): (arrival: H2Arrival) => void {
  return ({ connection, stream }) => connection.send(...make.map((one) => one(stream.id)));
}

function _bad(name: string, source: string, fields: readonly H2Field[]): OriginCase {
  const script = { onRequest: send((id) => headers(id, block(fields), WHOLE)) };
  return { name, source, script, expect: [BAD] };
}

/** The first request is treated as given, the next ones are answered. */
function once(first: (arrival: H2Arrival) => void): (arrival: H2Arrival) => void {
  return (arrival) => {
    if (arrival.index === 0) first(arrival);
    else arrival.connection.answer(arrival.stream.id, answerFields(), 'ok');
  };
}

const POST = 'POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 3\r\n\r\nabc';

export const ends: readonly OriginCase[] = [
  ...(
    [
      ['REFUSED_STREAM', undefined],
      ['REFUSED_STREAM of an upload', POST],
    ] as const
  ).map(
    ([name, request]): OriginCase => ({
      name: `${name} is tried again`,
      source: 'RFC 9113 8.7',
      ...(request === undefined ? {} : { request }),
      script: {
        onRequest: once(({ connection, stream }) => connection.send(rstStream(stream.id, Code.REFUSED_STREAM))),
      },
      expect: [plain],
      attempts: 2,
    }),
  ),
  ...(
    [
      ['a request', undefined],
      ['an upload', POST],
    ] as const
  ).map(
    ([name, request]): OriginCase => ({
      name: `GOAWAY that does not cover ${name}: it is tried again`,
      source: 'RFC 9113 6.8, 8.7',
      ...(request === undefined ? {} : { request }),
      script: { onRequest: once(({ connection }) => connection.send(goaway(0))) },
      expect: [{ status: 200, body: 'ok', upstream: 'closed' }],
      attempts: 2,
    }),
  ),
  ...(['INTERNAL_ERROR', 'CANCEL', 'PROTOCOL_ERROR', 'ENHANCE_YOUR_CALM', 'NO_ERROR', 'STREAM_CLOSED'] as const).map(
    (name): OriginCase => ({
      name: `${name} before the head is not tried again`,
      source: 'RFC 9113 8.7',
      script: { onRequest: send((id) => rstStream(id, Code[name])) },
      expect: [{ status: 502, upstream: 'kept' }],
    }),
  ),
  {
    name: 'a reset with a code that nobody knows',
    source: 'RFC 9113 7',
    script: { onRequest: send((id) => rstStream(id, 0xabcdef)) },
    expect: [{ status: 502, upstream: 'kept' }],
  },
  ...([Code.INTERNAL_ERROR, Code.CANCEL, Code.NO_ERROR, Code.REFUSED_STREAM] as const).map(
    (code): OriginCase => ({
      name: `a reset with code ${code} within the body cuts the answer`,
      source: 'RFC 9113 5.4.2',
      script: {
        onRequest: async ({ connection, stream }) => {
          connection.send(headers(stream.id, block(answerFields())), data(stream.id, 'abc'));
          await connection.roundTrip();
          connection.send(rstStream(stream.id, code));
        },
      },
      expect: [{ status: 200, end: 'truncated', upstream: 'kept' }],
    }),
  ),
  {
    name: 'an answer before the upload has ended, and NO_ERROR',
    source: 'RFC 9113 8.1',
    request: 'POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 1000\r\n\r\nabc',
    script: {
      onHead: ({ connection, stream }) => {
        connection.answer(stream.id, answerFields(413), 'too much');
        connection.send(rstStream(stream.id, Code.NO_ERROR));
      },
    },
    expect: [{ status: 413, body: 'too much', upstream: 'kept' }],
  },
  ...(
    [
      ['GOAWAY with an error', ({ connection }) => connection.send(goaway(0x7fffffff, Code.INTERNAL_ERROR))],
      ['the end of the connection', ({ connection }) => connection.finish()],
      ['a reset of the connection', ({ connection }) => connection.wire.reset()],
    ] as readonly (readonly [string, (arrival: H2Arrival) => void])[]
  ).flatMap(([name, act]): OriginCase[] => [
    {
      name: `${name} before the head`,
      source: 'RFC 9113 5.4.1',
      script: {
        onRequest: (arrival) => {
          act(arrival);
          arrival.connection.finish();
        },
      },
      expect: [{ status: 502, upstream: 'closed' }],
    },
    {
      name: `${name} within the body`,
      source: 'RFC 9113 5.4.1',
      script: {
        onRequest: async (arrival) => {
          const { connection, stream } = arrival;
          connection.send(headers(stream.id, block(answerFields())), data(stream.id, 'abc'));
          await connection.roundTrip();
          act(arrival);
          connection.finish();
        },
      },
      expect: [{ status: 200, end: 'truncated', upstream: 'closed' }],
    },
  ]),
];

export const sizes: readonly OriginCase[] = [
  ...(
    [
      ['300 fields', Array.from({ length: 300 }, (_, at): H2Field => [`x-${at}`, 'a'])],
      ['70,000 octets', Array.from({ length: 70 }, (_, at): H2Field => [`x-${at}`, 'a'.repeat(1_000)])],
    ] as readonly (readonly [string, readonly H2Field[]])[]
  ).map(
    ([name, more]): OriginCase => ({
      name: `a head of ${name}`,
      source: 'RFC 9113 10.5.1',
      script: {
        onRequest: ({ connection, stream: { id } }) => {
          const bytes = block([...answerFields(), ...more]);
          connection.send(headers(id, bytes.subarray(0, 16_000), Flag.END_STREAM));
          for (let at = 16_000; ; at += 16_000) {
            const isLast = at + 16_000 >= bytes.length;
            connection.send(continuation(id, bytes.subarray(at, at + 16_000), isLast ? Flag.END_HEADERS : 0));
            if (isLast) break;
          }
        },
      },
      expect: [{ status: 502, upstream: 'any' }],
    }),
  ),
  {
    name: 'a head of 150 fields and 40,000 octets',
    source: 'RFC 9113 10.5.1',
    script: {
      onRequest: ({ connection, stream: { id } }) => {
        const more = Array.from({ length: 150 }, (_, at): H2Field => [`x-${at}`, 'a'.repeat(240)]);
        const bytes = block([...answerFields(), ...more]);
        connection.send(headers(id, bytes.subarray(0, 16_000), Flag.END_STREAM));
        connection.send(continuation(id, bytes.subarray(16_000, 32_000), 0), continuation(id, bytes.subarray(32_000)));
      },
    },
    expect: [{ status: 200, upstream: 'kept' }],
    check: (answer) => {
      const got = fieldLines(answer).filter((line) => line.startsWith('x-')).length;
      linesAre([String(got)], ['150']);
    },
  },
];

function linesAre(lines: readonly string[], wanted: readonly string[]): void {
  if (lines.join('|') !== wanted.join('|')) throw new Error(`got ${lines.join('|')}, wanted ${wanted.join('|')}`);
}
