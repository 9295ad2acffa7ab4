/**
 * Each type of frame by itself: RFC 9113 sections 6.1 to 6.8 and 7.
 */
import { answer, closed, connectionError, type H2Case, ignored, streamError } from '../../src/h2-case.ts';
import { type H2ClientOptions, request } from '../../src/h2-client.ts';
import {
  Code,
  data,
  Flag,
  FrameType,
  frame,
  goaway,
  headers,
  padded,
  ping,
  priority,
  priorityFields,
  rstStream,
  Setting,
  settings,
  settingsAck,
} from '../../src/h2-frames.ts';
import { block, indexed } from '../../src/h2-hpack.ts';
import { plainAnswer } from '../../src/recording-origin.ts';
import { answeredRequest, answerWith, heldRequest } from './scripts.ts';

const REQUEST = block(request());
const POST = block(request('/', 'POST'));
const WHOLE = Flag.END_HEADERS | Flag.END_STREAM;

/** A frame, sent after the settings and, where it needs an open stream, after the head of a request with a body. */
function refused(
  name: string,
  source: string,
  bytes: Buffer,
  code: number,
  on: 'connection' | 'open stream' = 'connection',
): H2Case {
  return {
    name,
    source,
    play: (client) => {
      if (on === 'open stream') client.send(headers(client.take(), POST));
      client.send(bytes);
    },
    expect: [connectionError(code)],
    forwarded: 0,
  };
}

export const dataAndHeaders: readonly H2Case[] = [
  refused('DATA on stream 0', 'RFC 9113 6.1', data(0, 'abc'), Code.PROTOCOL_ERROR),
  refused(
    'DATA with padding as long as the payload',
    'RFC 9113 6.1',
    data(1, Buffer.from([3, 1, 2]), Flag.PADDED | Flag.END_STREAM),
    Code.PROTOCOL_ERROR,
    'open stream',
  ),
  {
    name: 'DATA with the PADDED flag and no payload',
    source: 'RFC 9113 6.1',
    play: (client) => client.send(headers(client.take(), POST), data(1, '', Flag.PADDED | Flag.END_STREAM)),
    expect: [connectionError(Code.FRAME_SIZE_ERROR, Code.PROTOCOL_ERROR), streamError(1, Code.FRAME_SIZE_ERROR)],
    forwarded: 0,
  },
  {
    name: 'DATA with padding of each length, nothing but padding too',
    source: 'RFC 9113 6.1',
    play: (client) => {
      const id = client.take();
      const frames = [0, 1, 2, 100, 255].map((length) => data(id, padded(`<${length}>`, length), Flag.PADDED));
      client.send(headers(id, POST), ...frames, data(id, padded('', 255), Flag.PADDED | Flag.END_STREAM));
    },
    expect: [answer()],
    check: ([arrived]) => {
      const body = arrived?.body.bytes().toString('latin1');
      if (body !== '<0><1><2><100><255>') throw new Error(`body at the origin: ${body}`);
    },
  },
  {
    name: 'HEADERS with padding and priority',
    source: 'RFC 9113 6.2',
    play: (client) => {
      const payload = padded(Buffer.concat([priorityFields(0, 1), REQUEST]), 200);
      client.send(headers(client.take(), payload, WHOLE | Flag.PADDED | Flag.PRIORITY));
    },
    expect: [answer()],
  },
  refused(
    'HEADERS with padding as long as the payload',
    'RFC 9113 6.2',
    headers(1, Buffer.concat([Buffer.from([REQUEST.length + 1]), REQUEST]), WHOLE | Flag.PADDED),
    Code.PROTOCOL_ERROR,
  ),
  {
    name: 'HEADERS too short for their priority fields',
    source: 'RFC 9113 6.2, 4.2',
    play: (client) => client.send(headers(1, Buffer.from([0, 0, 0, 0]), WHOLE | Flag.PRIORITY)),
    expect: [connectionError(Code.FRAME_SIZE_ERROR, Code.PROTOCOL_ERROR)],
  },
];

export const priorityAndReset: readonly H2Case[] = [
  refused('PRIORITY on stream 0', 'RFC 9113 6.3', priority(0), Code.PROTOCOL_ERROR),
  ...[4, 6].map(
    (length): H2Case => ({
      name: `PRIORITY of ${length} octets`,
      source: 'RFC 9113 6.3',
      play: (client) =>
        client.send(headers(client.take(), POST), frame(FrameType.PRIORITY, 0, 1, Buffer.alloc(length))),
      expect: [streamError(1, Code.FRAME_SIZE_ERROR), connectionError(Code.FRAME_SIZE_ERROR)],
      forwarded: 0,
    }),
  ),
  refused('RST_STREAM on stream 0', 'RFC 9113 6.4', rstStream(0), Code.PROTOCOL_ERROR),
  ...[3, 5].map((length) =>
    refused(
      `RST_STREAM of ${length} octets`,
      'RFC 9113 6.4',
      frame(FrameType.RST_STREAM, 0, 1, Buffer.alloc(length)),
      Code.FRAME_SIZE_ERROR,
      'open stream',
    ),
  ),
  {
    name: 'RST_STREAM with an unknown code',
    source: 'RFC 9113 7',
    play: (client) => client.send(headers(client.take(), POST), rstStream(1, 0xff)),
    expect: [ignored],
    forwarded: 0,
  },
];

export const settingsFrames: readonly H2Case[] = [
  refused('SETTINGS on a stream', 'RFC 9113 6.5', frame(FrameType.SETTINGS, 0, 1), Code.PROTOCOL_ERROR),
  refused(
    'an acknowledgement of SETTINGS with a payload',
    'RFC 9113 6.5',
    frame(FrameType.SETTINGS, Flag.ACK, 0, Buffer.alloc(6)),
    Code.FRAME_SIZE_ERROR,
  ),
  ...[1, 3, 5, 7].map((length) =>
    refused(
      `SETTINGS of ${length} octets`,
      'RFC 9113 6.5',
      frame(FrameType.SETTINGS, 0, 0, Buffer.alloc(length)),
      Code.FRAME_SIZE_ERROR,
    ),
  ),
  ...(
    [
      ['ENABLE_PUSH 2', Setting.ENABLE_PUSH, 2, Code.PROTOCOL_ERROR],
      ['INITIAL_WINDOW_SIZE 2^31', Setting.INITIAL_WINDOW_SIZE, 0x80000000, Code.FLOW_CONTROL_ERROR],
      ['MAX_FRAME_SIZE 16,383', Setting.MAX_FRAME_SIZE, 16_383, Code.PROTOCOL_ERROR],
      ['MAX_FRAME_SIZE 0', Setting.MAX_FRAME_SIZE, 0, Code.PROTOCOL_ERROR],
      ['MAX_FRAME_SIZE 2^24', Setting.MAX_FRAME_SIZE, 0x1000000, Code.PROTOCOL_ERROR],
      ['ENABLE_CONNECT_PROTOCOL 2', Setting.ENABLE_CONNECT_PROTOCOL, 2, Code.PROTOCOL_ERROR],
    ] as const
  ).flatMap(([name, id, value, code]) => [
    refused(`SETTINGS with ${name}`, 'RFC 9113 6.5.2, RFC 8441 3', settings([id, value]), code),
    {
      ...refused(`SETTINGS with ${name} in the first frame`, 'RFC 9113 6.5.2', Buffer.alloc(0), code),
      options: { settings: [[id, value]] } satisfies H2ClientOptions,
    },
  ]),
  {
    name: 'SETTINGS with unknown identifiers and the largest of the known values',
    source: 'RFC 9113 6.5.2',
    options: {
      settings: [
        [0, 1],
        [0xffff, 0xffffffff],
        [Setting.HEADER_TABLE_SIZE, 0xffffffff],
        [Setting.MAX_CONCURRENT_STREAMS, 0],
        [Setting.MAX_HEADER_LIST_SIZE, 0xffffffff],
        [Setting.MAX_FRAME_SIZE, 0xffffff],
        [Setting.INITIAL_WINDOW_SIZE, 0x7fffffff],
        [Setting.ENABLE_PUSH, 1],
      ],
    },
    play: (client) => void client.ask(),
    expect: [answer()],
  },
  {
    name: 'every SETTINGS is acknowledged',
    source: 'RFC 9113 6.5.3',
    play: (client) => {
      for (let count = 0; count < 20; count++) client.send(settings([Setting.INITIAL_WINDOW_SIZE, 65_535 + count]));
      return client.until(() => client.settingsAcks === 21, '21 acknowledgements of SETTINGS');
    },
    expect: [ignored],
  },
  {
    name: 'an acknowledgement of SETTINGS that is one too many',
    source: 'RFC 9113 6.5.3',
    play: (client) => client.send(settingsAck(), settingsAck(), settingsAck()),
    expect: [ignored, connectionError(Code.PROTOCOL_ERROR)],
  },
  {
    name: 'a table of 0 octets is obeyed',
    source: 'RFC 7541 4.2, RFC 9113 6.5.3',
    options: { settings: [[Setting.HEADER_TABLE_SIZE, 0]] },
    play: async (client) => {
      for (let round = 0; round < 3; round++) await answeredRequest(client);
    },
    expect: [ignored],
    forwarded: 3,
  },
  {
    name: 'a larger frame size is not abused, a small list size neither',
    source: 'RFC 9113 6.5.2',
    options: { settings: [[Setting.MAX_FRAME_SIZE, 32_768]] },
    play: async (client, rig) => {
      answerWith(rig, plainAnswer('a'.repeat(60_000)));
      const { bodySize } = await client.finished(client.ask());
      if (bodySize !== 60_000) throw new Error(`body of ${bodySize} octets`);
    },
    expect: [ignored],
    forwarded: 1,
  },
];

export const pingAndGoaway: readonly H2Case[] = [
  {
    name: 'PING is answered with its own octets',
    source: 'RFC 9113 6.7',
    play: (client) => {
      client.send(ping('\x00\xff ping!'));
      return client.until(() => client.pingAcks.includes('\x00\xff ping!'), 'the answer to the PING');
    },
    expect: [ignored],
  },
  {
    name: 'a PING acknowledgement that was not asked for',
    source: 'RFC 9113 6.7',
    play: (client) => client.send(ping('notasked', Flag.ACK)),
    expect: [ignored],
    check: (_, client) => {
      if (client.pingAcks.includes('notasked')) throw new Error('the acknowledgement was acknowledged');
    },
  },
  refused(
    'PING on a stream',
    'RFC 9113 6.7',
    frame(FrameType.PING, 0, 1, '12345678'),
    Code.PROTOCOL_ERROR,
    'open stream',
  ),
  ...[0, 7, 9].map((length) =>
    refused(
      `PING of ${length} octets`,
      'RFC 9113 6.7',
      frame(FrameType.PING, 0, 0, Buffer.alloc(length)),
      Code.FRAME_SIZE_ERROR,
    ),
  ),
  refused('a PING acknowledgement of 6 octets', 'RFC 9113 6.7', ping('123456', Flag.ACK), Code.FRAME_SIZE_ERROR),
  refused(
    'GOAWAY on a stream',
    'RFC 9113 6.8',
    frame(FrameType.GOAWAY, 0, 1, Buffer.alloc(8)),
    Code.PROTOCOL_ERROR,
    'open stream',
  ),
  refused('GOAWAY of 7 octets', 'RFC 9113 6.8', frame(FrameType.GOAWAY, 0, 0, Buffer.alloc(7)), Code.FRAME_SIZE_ERROR),
  ...[Code.NO_ERROR, 0xff].map(
    (code): H2Case => ({
      name: `GOAWAY with code ${code}: what was asked is still answered`,
      source: 'RFC 9113 6.8, 7',
      play: async (client, rig) => {
        const id = await heldRequest(client, rig);
        client.send(goaway(0, code, 'bye'));
        await client.roundTrip();
        for (const arrival of rig.origin.arrivals) plainAnswer()(arrival);
        const { status } = await client.finished(id);
        if (code === Code.NO_ERROR && status !== 200) throw new Error(`status ${status}`);
        client.finish();
      },
      expect: [closed],
      forwarded: 1,
    }),
  ),
  {
    name: 'a stream may be reset and used by no frame again while others go on',
    source: 'RFC 9113 5.4.2',
    play: (client) => {
      client.send(headers(client.take(), POST), rstStream(1));
      client.send(
        headers(
          client.take(),
          Buffer.concat([indexed(2), indexed(4), indexed(6), block([[':authority', 'a']])]),
          WHOLE,
        ),
      );
    },
    expect: [answer(3)],
  },
];
