/**
 * Origins that break the rules of the connection: RFC 9113 sections 3 to 7.
 */
import {
  Code,
  continuation,
  data,
  Flag,
  FrameType,
  frame,
  goaway,
  headers,
  MAX_WINDOW,
  padded,
  ping,
  priority,
  pushPromise,
  rstStream,
  Setting,
  settings,
  settingsAck,
  windowUpdate,
} from '../../src/h2-frames.ts';
import { block, huffmanBits, indexed, sizeUpdate } from '../../src/h2-hpack.ts';
import { answerFields, type H2Arrival } from '../../src/h2-origin.ts';
import { badGateway, type OriginCase, plain } from '../../src/h2-origin-case.ts';

const OK = block(answerFields());
const WHOLE = Flag.END_HEADERS | Flag.END_STREAM;

export const starting: readonly OriginCase[] = [
  ...(
    [
      ['PING', ping('12345678')],
      ['an acknowledgement of SETTINGS', settingsAck()],
      ['an answer', headers(1, OK, WHOLE)],
      ['an unknown frame', frame(0xf7, 0, 0, 'abc')],
    ] as const
  ).map(
    ([name, bytes]): OriginCase => ({
      name: `${name} as the first frame`,
      source: 'RFC 9113 3.4',
      script: { greeting: [bytes] },
      expect: [badGateway(Code.PROTOCOL_ERROR)],
      attempts: 'any',
    }),
  ),
  {
    name: 'an origin that speaks HTTP/1.1',
    source: 'RFC 9113 3.4',
    script: { greeting: [Buffer.from('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n')] },
    expect: [badGateway(Code.PROTOCOL_ERROR, Code.FRAME_SIZE_ERROR)],
    attempts: 'any',
  },
  ...(
    [
      ['on a stream', frame(FrameType.SETTINGS, 0, 1), Code.PROTOCOL_ERROR],
      ['of 5 octets', frame(FrameType.SETTINGS, 0, 0, Buffer.alloc(5)), Code.FRAME_SIZE_ERROR],
      ['with ENABLE_PUSH 1', settings([Setting.ENABLE_PUSH, 1]), Code.PROTOCOL_ERROR],
      ['with ENABLE_PUSH 2', settings([Setting.ENABLE_PUSH, 2]), Code.PROTOCOL_ERROR],
      ['with INITIAL_WINDOW_SIZE 2^31', settings([Setting.INITIAL_WINDOW_SIZE, 0x80000000]), Code.FLOW_CONTROL_ERROR],
      ['with MAX_FRAME_SIZE 16,383', settings([Setting.MAX_FRAME_SIZE, 16_383]), Code.PROTOCOL_ERROR],
      ['with MAX_FRAME_SIZE 2^24', settings([Setting.MAX_FRAME_SIZE, 0x1000000]), Code.PROTOCOL_ERROR],
      ['with ENABLE_CONNECT_PROTOCOL 2', settings([Setting.ENABLE_CONNECT_PROTOCOL, 2]), Code.PROTOCOL_ERROR],
    ] as const
  ).map(
    ([name, bytes, code]): OriginCase => ({
      name: `SETTINGS ${name}`,
      source: 'RFC 9113 6.5',
      script: { greeting: [bytes] },
      expect: [badGateway(code)],
      attempts: 'any',
    }),
  ),
  {
    name: 'SETTINGS with unknown identifiers and the largest of the known values',
    source: 'RFC 9113 6.5.2',
    script: {
      greeting: [
        settings(
          [0xffff, 0xffffffff],
          [Setting.HEADER_TABLE_SIZE, 0xffffffff],
          [Setting.ENABLE_PUSH, 0],
          [Setting.MAX_CONCURRENT_STREAMS, 0xffffffff],
          [Setting.MAX_HEADER_LIST_SIZE, 0xffffffff],
          [Setting.MAX_FRAME_SIZE, 0xffffff],
          [Setting.INITIAL_WINDOW_SIZE, MAX_WINDOW],
        ),
      ],
    },
    expect: [plain],
  },
  {
    name: 'a table of 0 octets is obeyed',
    source: 'RFC 7541 4.2',
    script: { greeting: [settings([Setting.HEADER_TABLE_SIZE, 0])] },
    expect: [plain],
  },
];

/** What the origin sends in the place of an answer, and the code by which the connection ends. */
const FAULTS: readonly (readonly [
  name: string,
  source: string,
  make: (id: number) => readonly Buffer[],
  codes: readonly number[],
])[] = [
  ['DATA on stream 0', '6.1', () => [data(0, 'abc')], [Code.PROTOCOL_ERROR]],
  ['DATA on an idle stream', '5.1', (id) => [data(id + 2, 'abc')], [Code.PROTOCOL_ERROR]],
  ['DATA on an even stream', '5.1', () => [data(2, 'abc')], [Code.PROTOCOL_ERROR]],
  [
    'DATA with padding as long as the payload',
    '6.1',
    (id) => [headers(id, OK), data(id, Buffer.from([3, 1, 2]), Flag.PADDED)],
    [Code.PROTOCOL_ERROR],
  ],
  ['HEADERS on stream 0', '6.2', () => [headers(0, OK, WHOLE)], [Code.PROTOCOL_ERROR]],
  ['HEADERS on an idle stream', '5.1', (id) => [headers(id + 2, OK, WHOLE)], [Code.PROTOCOL_ERROR]],
  ['HEADERS on an even stream', '5.1.1', () => [headers(2, OK, WHOLE)], [Code.PROTOCOL_ERROR]],
  [
    'HEADERS with padding as long as the payload',
    '6.2',
    (id) => [headers(id, Buffer.from([9, 0x88]), WHOLE | Flag.PADDED)],
    [Code.PROTOCOL_ERROR],
  ],
  ['PRIORITY on stream 0', '6.3', () => [priority(0)], [Code.PROTOCOL_ERROR]],
  ['RST_STREAM on stream 0', '6.4', () => [rstStream(0)], [Code.PROTOCOL_ERROR]],
  ['RST_STREAM on an idle stream', '6.4', (id) => [rstStream(id + 2)], [Code.PROTOCOL_ERROR]],
  ['RST_STREAM of 3 octets', '6.4', (id) => [frame(FrameType.RST_STREAM, 0, id, 'abc')], [Code.FRAME_SIZE_ERROR]],
  ['SETTINGS on a stream', '6.5', (id) => [frame(FrameType.SETTINGS, 0, id)], [Code.PROTOCOL_ERROR]],
  [
    'an acknowledgement of SETTINGS with a payload',
    '6.5',
    () => [frame(FrameType.SETTINGS, Flag.ACK, 0, Buffer.alloc(6))],
    [Code.FRAME_SIZE_ERROR],
  ],
  ['SETTINGS of 7 octets', '6.5', () => [frame(FrameType.SETTINGS, 0, 0, Buffer.alloc(7))], [Code.FRAME_SIZE_ERROR]],
  ['PUSH_PROMISE', '6.6', (id) => [pushPromise(id, 2, OK)], [Code.PROTOCOL_ERROR]],
  ['PUSH_PROMISE on stream 0', '6.6', () => [pushPromise(0, 2, OK)], [Code.PROTOCOL_ERROR]],
  ['PING on a stream', '6.7', (id) => [frame(FrameType.PING, 0, id, '12345678')], [Code.PROTOCOL_ERROR]],
  ['PING of 7 octets', '6.7', () => [ping('1234567')], [Code.FRAME_SIZE_ERROR]],
  ['GOAWAY on a stream', '6.8', (id) => [frame(FrameType.GOAWAY, 0, id, Buffer.alloc(8))], [Code.PROTOCOL_ERROR]],
  ['GOAWAY of 7 octets', '6.8', () => [frame(FrameType.GOAWAY, 0, 0, Buffer.alloc(7))], [Code.FRAME_SIZE_ERROR]],
  ['WINDOW_UPDATE of 0 on the connection', '6.9', () => [windowUpdate(0, 0)], [Code.PROTOCOL_ERROR]],
  ['WINDOW_UPDATE of 3 octets', '6.9', () => [frame(FrameType.WINDOW_UPDATE, 0, 0, 'abc')], [Code.FRAME_SIZE_ERROR]],
  ['WINDOW_UPDATE on an idle stream', '5.1', (id) => [windowUpdate(id + 2, 1)], [Code.PROTOCOL_ERROR]],
  ['a window of the connection beyond 2^31-1', '6.9.1', () => [windowUpdate(0, MAX_WINDOW)], [Code.FLOW_CONTROL_ERROR]],
  ['CONTINUATION without HEADERS', '6.10', (id) => [continuation(id, OK)], [Code.PROTOCOL_ERROR]],
  ['PING within a field block', '6.10', (id) => [headers(id, OK, 0), ping('12345678')], [Code.PROTOCOL_ERROR]],
  ['DATA within a field block', '6.10', (id) => [headers(id, OK, 0), data(id, 'abc')], [Code.PROTOCOL_ERROR]],
  [
    'an unknown frame within a field block',
    '5.5',
    (id) => [headers(id, OK, 0), frame(0xf7, 0, id)],
    [Code.PROTOCOL_ERROR],
  ],
  ['a frame of 16,385 octets', '4.2', () => [frame(0xf7, 0, 0, Buffer.alloc(16_385))], [Code.FRAME_SIZE_ERROR]],
  ['index 0 in a field block', '4.3', (id) => [headers(id, indexed(0), WHOLE)], [Code.COMPRESSION_ERROR]],
  ['an index behind both tables', '4.3', (id) => [headers(id, indexed(62), WHOLE)], [Code.COMPRESSION_ERROR]],
  ['a field that is cut', '4.3', (id) => [headers(id, Buffer.from([0x88, 0x40, 1]), WHOLE)], [Code.COMPRESSION_ERROR]],
  [
    'a table size update beyond what is allowed',
    '4.3.1',
    (id) => [headers(id, Buffer.concat([sizeUpdate(0x7fffffff), OK]), WHOLE)],
    [Code.COMPRESSION_ERROR],
  ],
  [
    'the end-of-string symbol in a field block',
    '4.3',
    (id) => [headers(id, Buffer.concat([OK, Buffer.from([0, 1, 0x78]), huffmanBits('1'.repeat(32))]), WHOLE)],
    [Code.COMPRESSION_ERROR],
  ],
];

export const faults: readonly OriginCase[] = FAULTS.map(([name, section, make, codes]) => ({
  name,
  source: `RFC 9113 ${section}`,
  script: { onRequest: ({ connection, stream }) => connection.send(...make(stream.id)) },
  expect: [
    badGateway(...codes),
    // When the head went out before the fault came.
    { status: 200, end: 'truncated', upstream: 'failed', codes },
  ],
}));

/** What the origin may send beside an answer without any harm. */
const HARMLESS: readonly (readonly [name: string, source: string, make: (id: number) => readonly Buffer[]])[] = [
  ['an unknown frame', 'RFC 9113 5.5', (id) => [frame(0xf7, 0xff, id, 'abc'), frame(0xf8, 0xff, 0, 'abc')]],
  ['ALTSVC', 'RFC 7838', () => [frame(0xa, 0, 0, '\x00\x04abcdh2=":443"')]],
  ['ORIGIN', 'RFC 8336', () => [frame(0xc, 0, 0, '\x00\x10https://a.example')]],
  ['PRIORITY', 'RFC 9113 5.3.2', (id) => [priority(id), priority(id + 100)]],
  ['PRIORITY_UPDATE', 'RFC 9218', (id) => [frame(0x10, 0, 0, `\x00\x00\x00${String.fromCharCode(id)}u=1`)]],
  ['WINDOW_UPDATE', 'RFC 9113 6.9', (id) => [windowUpdate(id, 100), windowUpdate(0, 100)]],
  ['SETTINGS', 'RFC 9113 6.5', () => [settings([Setting.MAX_CONCURRENT_STREAMS, 50]), settings()]],
  ['PING', 'RFC 9113 6.7', () => [ping('12345678')]],
  ['a PING acknowledgement that was not asked for', 'RFC 9113 6.7', () => [ping('12345678', Flag.ACK)]],
];

function answerAfter(make: (id: number) => readonly Buffer[]): (arrival: H2Arrival) => void {
  return ({ connection, stream }) => {
    connection.send(...make(stream.id));
    connection.send(headers(stream.id, OK), ...make(stream.id), data(stream.id, 'ok'), ...make(stream.id));
    connection.send(data(stream.id, '', Flag.END_STREAM));
  };
}

export const harmless: readonly OriginCase[] = [
  ...HARMLESS.map(
    ([name, source, make]): OriginCase => ({
      name: `${name} before, in and after the head of an answer`,
      source,
      script: { onRequest: answerAfter(make) },
      expect: [plain],
    }),
  ),
  {
    name: 'PING is answered, SETTINGS are acknowledged',
    source: 'RFC 9113 6.5.3, 6.7',
    script: {
      onRequest: async ({ connection, stream }) => {
        connection.send(settings([Setting.MAX_CONCURRENT_STREAMS, 50]));
        await connection.until(() => connection.settingsAcks === 2, 'both acknowledgements');
        await connection.roundTrip();
        connection.answer(stream.id, answerFields(), 'ok');
      },
    },
    expect: [plain],
  },
  {
    name: 'an answer with padding and priority',
    source: 'RFC 9113 6.2',
    script: {
      onRequest: ({ connection, stream }) => {
        const payload = padded(Buffer.concat([Buffer.from([0, 0, 0, 0, 15]), OK]), 100);
        connection.send(headers(stream.id, payload, Flag.END_HEADERS | Flag.PADDED | Flag.PRIORITY));
        connection.send(data(stream.id, padded('o', 255), Flag.PADDED));
        connection.send(data(stream.id, padded('k', 0), Flag.PADDED | Flag.END_STREAM));
      },
    },
    expect: [plain],
  },
  {
    name: 'an answer in CONTINUATION frames',
    source: 'RFC 9113 6.10',
    script: {
      onRequest: ({ connection, stream: { id } }) => {
        const rest = block([['x-a', 'b']]);
        connection.send(
          headers(id, Buffer.alloc(0), 0),
          continuation(id, OK, 0),
          continuation(id, rest.subarray(0, 3), 0),
        );
        connection.send(continuation(id, rest.subarray(3)), data(id, 'ok', Flag.END_STREAM));
      },
    },
    expect: [plain],
  },
  {
    name: 'frames in pieces of one octet',
    source: 'RFC 9113 4.1',
    script: {
      onRequest: async ({ connection, stream: { id } }) => {
        await connection.roundTrip();
        for (const octet of Buffer.concat([headers(id, OK), data(id, 'o'), data(id, 'k', Flag.END_STREAM)])) {
          connection.raw(Buffer.from([octet]));
          await new Promise(setImmediate);
        }
      },
    },
    expect: [plain],
  },
  {
    name: 'GOAWAY after the answer: the next request takes a new connection',
    source: 'RFC 9113 6.8',
    script: {
      onRequest: ({ connection, stream }) => {
        connection.answer(stream.id, answerFields(), 'ok');
        connection.send(goaway(stream.id));
      },
    },
    expect: [{ status: 200, body: 'ok', upstream: 'closed' }],
  },
  {
    name: 'GOAWAY before the answer of a stream that it covers',
    source: 'RFC 9113 6.8',
    script: {
      onRequest: ({ connection, stream }) => {
        connection.send(goaway(MAX_WINDOW), goaway(stream.id));
        connection.answer(stream.id, answerFields(), 'ok');
      },
    },
    expect: [{ status: 200, body: 'ok', upstream: 'closed' }],
  },
];
