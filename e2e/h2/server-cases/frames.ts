/**
 * Starting a connection, the layout of frames, their sizes and field blocks: RFC 9113 sections 3.4, 4 and 5.5.
 */

import { answer, closed, connectionError, type H2Case, ignored, streamError } from '../../src/h2-case.ts';
import { request } from '../../src/h2-client.ts';
import {
  Code,
  continuation,
  data,
  Flag,
  FrameType,
  frame,
  headers,
  PREFACE,
  ping,
  priority,
  settings,
  settingsAck,
} from '../../src/h2-frames.ts';
import { block } from '../../src/h2-hpack.ts';

const REQUEST = block(request());
const UNKNOWN = 0xf7;

export const starting: readonly H2Case[] = [
  {
    name: 'a preface and settings are answered with settings and their acknowledgement',
    source: 'RFC 9113 3.4',
    play: (client) => client.until(() => client.settingsAcks === 1, 'the acknowledgement of SETTINGS'),
    expect: [ignored],
  },
  {
    name: 'a request that comes with the preface',
    source: 'RFC 9113 3.4',
    options: { settings: undefined },
    play: (client) => {
      client.raw(PREFACE);
      client.send(settings(), headers(client.take(), REQUEST, Flag.END_HEADERS | Flag.END_STREAM));
    },
    expect: [answer()],
  },
  ...[
    ['PING', ping('12345678')],
    ['HEADERS', headers(1, REQUEST, Flag.END_HEADERS | Flag.END_STREAM)],
    ['an acknowledgement of SETTINGS', settingsAck()],
    ['an unknown frame', frame(UNKNOWN, 0, 0, 'abc')],
  ].map(
    ([name, bytes]): H2Case => ({
      name: `${name} as the first frame`,
      source: 'RFC 9113 3.4',
      options: { settings: undefined },
      play: (client) => {
        client.raw(PREFACE);
        client.raw(bytes as Buffer);
      },
      expect: [connectionError(Code.PROTOCOL_ERROR)],
      forwarded: 0,
    }),
  ),
];

export const layout: readonly H2Case[] = [
  ...[0, 1, 3].map(
    (stream): H2Case => ({
      name: `a frame of an unknown type on stream ${stream}`,
      source: 'RFC 9113 4.1, 5.5',
      play: (client) => {
        client.send(frame(UNKNOWN, 0xff, stream, 'whatever'));
        client.ask();
      },
      expect: [answer()],
    }),
  ),
  {
    name: 'PING with flags that have no meaning',
    source: 'RFC 9113 4.1',
    play: (client) => {
      client.send(ping('undefine', 0xff & ~Flag.ACK));
      return client.until(() => client.pingAcks.includes('undefine'), 'the answer to the PING');
    },
    expect: [ignored],
  },
  {
    name: 'DATA and HEADERS with flags that have no meaning',
    source: 'RFC 9113 4.1',
    play: (client) => {
      const id = client.take();
      client.send(
        headers(id, block(request('/', 'POST')), Flag.END_HEADERS | 0xd2),
        data(id, 'abc', 0xf6 | Flag.END_STREAM),
      );
    },
    expect: [answer()],
    check: ([arrived]) => bodyIs(arrived?.body.bytes(), 'abc'),
  },
  {
    name: 'the reserved bit of the stream identifier',
    source: 'RFC 9113 4.1',
    play: (client) => {
      const id = client.take();
      client.send(headers(0x80000000 + id, REQUEST, Flag.END_HEADERS | Flag.END_STREAM), ping('reserved'));
    },
    expect: [answer()],
  },
  {
    name: 'a frame in pieces of one octet',
    source: 'RFC 9113 4.1',
    play: async (client) => {
      // No acknowledgement may come between.
      await client.roundTrip();
      for (const octet of headers(client.take(), REQUEST, Flag.END_HEADERS | Flag.END_STREAM)) {
        client.raw(Buffer.from([octet]));
        await new Promise(setImmediate);
      }
    },
    expect: [answer()],
  },
];

export const sizes: readonly H2Case[] = [
  {
    name: 'DATA of 16,384 octets',
    source: 'RFC 9113 4.2',
    play: (client) => void client.ask(request('/', 'POST'), Buffer.alloc(16_384, 'a')),
    expect: [answer()],
    check: ([arrived]) => bodyIs(arrived?.body.bytes(), 'a'.repeat(16_384)),
  },
  {
    name: 'DATA of 16,385 octets',
    source: 'RFC 9113 4.2',
    play: (client) => void client.ask(request('/', 'POST'), Buffer.alloc(16_385, 'a')),
    expect: [connectionError(Code.FRAME_SIZE_ERROR), streamError(1, Code.FRAME_SIZE_ERROR)],
    forwarded: 0,
  },
  ...[
    ['HEADERS', headers(1, Buffer.concat([REQUEST, block([['x', 'a'.repeat(16_384)]])]), 5)],
    ['SETTINGS', settings(...Array.from({ length: 2_731 }, () => [99, 0] as const))],
    ['an unknown frame', frame(UNKNOWN, 0, 0, Buffer.alloc(16_385))],
    ['an unknown frame of 16 MiB, of which only the beginning comes', frame(UNKNOWN, 0, 0, 'abc', 0xffffff)],
  ].map(
    ([name, bytes]): H2Case => ({
      name: `${name}, larger than allowed`,
      source: 'RFC 9113 4.2',
      play: (client) => client.send(bytes as Buffer),
      expect: [connectionError(Code.FRAME_SIZE_ERROR)],
      forwarded: 0,
    }),
  ),
];

export const fieldBlocks: readonly H2Case[] = [
  {
    name: 'a block that is cut within a field',
    source: 'RFC 9113 4.3',
    play: (client) => client.send(headers(1, Buffer.from([0x40, 0x01]), Flag.END_HEADERS | Flag.END_STREAM)),
    expect: [connectionError(Code.COMPRESSION_ERROR)],
  },
  ...[
    ['PRIORITY', priority(1)],
    ['HEADERS of another stream', headers(3, REQUEST, Flag.END_HEADERS | Flag.END_STREAM)],
    ['HEADERS of the same stream', headers(1, REQUEST, Flag.END_HEADERS)],
    ['DATA', data(1, 'abc')],
    ['SETTINGS', settings()],
    ['PING', ping('12345678')],
    ['CONTINUATION of another stream', continuation(3, Buffer.alloc(0))],
    ['an unknown frame', frame(UNKNOWN, 0, 1, 'abc')],
    ['an unknown frame on stream 0', frame(UNKNOWN, 0, 0, 'abc')],
  ].map(
    ([name, bytes]): H2Case => ({
      name: `${name} within a field block`,
      source: 'RFC 9113 4.3, 5.5, 6.10',
      play: (client) => client.send(headers(1, REQUEST, Flag.END_STREAM), bytes as Buffer),
      expect: [connectionError(Code.PROTOCOL_ERROR)],
      forwarded: 0,
    }),
  ),
  {
    name: 'a block in pieces of one octet each',
    source: 'RFC 9113 4.3',
    play: (client) => {
      const id = client.take();
      const cut = Math.ceil(REQUEST.length / 8);
      const parts = Array.from({ length: 8 }, (_, at) => REQUEST.subarray(at * cut, (at + 1) * cut));
      client.send(
        headers(id, parts[0] as Buffer, Flag.END_STREAM),
        ...parts.slice(1).map((part, at) => continuation(id, part, at === 6 ? Flag.END_HEADERS : 0)),
      );
    },
    expect: [answer()],
  },
  {
    name: 'an empty HEADERS frame and the block in CONTINUATION',
    source: 'RFC 9113 6.10',
    play: (client) => {
      const id = client.take();
      client.send(headers(id, Buffer.alloc(0), Flag.END_STREAM), continuation(id, REQUEST));
    },
    expect: [answer()],
  },
  {
    name: 'a block that never ends, and the client leaves',
    source: 'RFC 9113 4.3',
    play: (client) => {
      client.send(headers(1, REQUEST, Flag.END_STREAM));
      client.finish();
    },
    expect: [closed],
  },
  {
    name: 'CONTINUATION after a block that has ended',
    source: 'RFC 9113 6.10',
    play: (client) => client.send(headers(1, REQUEST, Flag.END_HEADERS), continuation(1, block([['a', 'b']]))),
    expect: [connectionError(Code.PROTOCOL_ERROR)],
    forwarded: 0,
  },
  {
    name: 'CONTINUATION after a block that has ended with CONTINUATION',
    source: 'RFC 9113 6.10',
    play: (client) =>
      client.send(headers(1, REQUEST, 0), continuation(1, block([['a', 'b']])), continuation(1, block([['c', 'd']]))),
    expect: [connectionError(Code.PROTOCOL_ERROR)],
    forwarded: 0,
  },
  {
    name: 'CONTINUATION after DATA',
    source: 'RFC 9113 6.10',
    play: (client) => client.send(headers(1, REQUEST), data(1, 'abc'), continuation(1, block([['a', 'b']]))),
    expect: [connectionError(Code.PROTOCOL_ERROR)],
    forwarded: 0,
  },
  {
    name: 'CONTINUATION on stream 0',
    source: 'RFC 9113 6.10',
    play: (client) => client.send(headers(1, REQUEST, Flag.END_STREAM), frame(FrameType.CONTINUATION, 4, 0, 'abc')),
    expect: [connectionError(Code.PROTOCOL_ERROR)],
    forwarded: 0,
  },
];

function bodyIs(bytes: Buffer | undefined, text: string): void {
  if (bytes?.toString('latin1') !== text) throw new Error(`body at the origin: ${bytes?.length} octets`);
}
