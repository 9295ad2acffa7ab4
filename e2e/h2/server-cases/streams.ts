/**
 * States of streams, their identifiers and number: RFC 9113 section 5.
 */
import { answer, connectionError, type H2Case, ignored, streamError } from '../../src/h2-case.ts';
import { type H2Client, request } from '../../src/h2-client.ts';
import {
  Code,
  continuation,
  data,
  Flag,
  FrameType,
  frame,
  headers,
  priority,
  priorityFields,
  rstStream,
  Setting,
  windowUpdate,
} from '../../src/h2-frames.ts';
import { block } from '../../src/h2-hpack.ts';
import type { H2ServerRig } from '../../src/h2-rig.ts';
import { answeredRequest, heldRequest, holdAnswers } from './scripts.ts';

const REQUEST = block(request());
const WHOLE = Flag.END_HEADERS | Flag.END_STREAM;
const POST = block(request('/', 'POST'));

export const idle: readonly H2Case[] = [
  ['DATA', data(1, 'abc', Flag.END_STREAM)],
  ['RST_STREAM', rstStream(1)],
  ['WINDOW_UPDATE', windowUpdate(1, 100)],
  ['CONTINUATION', continuation(1, REQUEST)],
].map(([name, bytes]) => ({
  name: `${name} on an idle stream`,
  source: 'RFC 9113 5.1',
  play: (client) => client.send(bytes as Buffer),
  expect: [connectionError(Code.PROTOCOL_ERROR)],
  forwarded: 0,
}));

export const priorities: readonly H2Case[] = [
  {
    name: 'PRIORITY on an idle stream, then a request on a lower one',
    source: 'RFC 9113 5.1, 5.3.2',
    play: (client) => {
      client.send(priority(99, 0, 256));
      client.ask();
    },
    expect: [answer()],
  },
  {
    name: 'PRIORITY in all states of a stream',
    source: 'RFC 9113 5.3.2',
    play: async (client, rig) => {
      const id = await heldRequest(client, rig);
      client.send(priority(id, 0, 1), rstStream(id), priority(id, 5, 200));
    },
    expect: [ignored],
    forwarded: 1,
  },
  ...[0, 3, 1].map(
    (dependsOn): H2Case => ({
      name: `HEADERS with priority fields, depending on stream ${dependsOn}`,
      source: 'RFC 9113 6.2, 5.3.2',
      play: (client) => {
        const id = client.take();
        const payload = Buffer.concat([priorityFields(dependsOn, 256, true), REQUEST]);
        client.send(headers(id, payload, WHOLE | Flag.PRIORITY));
      },
      // RFC 7540 asked for an error where a stream depends on itself, RFC 9113 lets it be ignored.
      expect: dependsOn === 1 ? [answer(), streamError(1, Code.PROTOCOL_ERROR)] : [answer()],
    }),
  ),
  {
    name: 'PRIORITY of a stream that depends on itself',
    source: 'RFC 7540 5.3.1, RFC 9113 5.3.2',
    play: (client) => client.send(priority(client.take(), 1)),
    expect: [ignored, streamError(1, Code.PROTOCOL_ERROR), connectionError(Code.PROTOCOL_ERROR)],
  },
];

/** What may not come on a stream that the client has ended, and by which codes it is answered. */
const LATE: readonly (readonly [name: string, make: (id: number) => Buffer, codes: readonly number[]])[] = [
  ['DATA', (id) => data(id, 'abc', Flag.END_STREAM), [Code.STREAM_CLOSED]],
  ['HEADERS', (id) => headers(id, REQUEST, WHOLE), [Code.STREAM_CLOSED]],
  ['CONTINUATION', (id) => continuation(id, REQUEST), [Code.STREAM_CLOSED, Code.PROTOCOL_ERROR]],
];

function late(
  state: string,
  forwarded: number,
  enter: (client: H2Client, rig: H2ServerRig) => Promise<number>,
): readonly H2Case[] {
  return LATE.map(([name, make, codes]) => ({
    name: `${name} on a stream that is ${state}`,
    source: 'RFC 9113 5.1',
    play: async (client, rig) => client.send(make(await enter(client, rig))),
    expect: [streamError(1, ...codes), connectionError(...codes)],
    forwarded,
  }));
}

export const ended: readonly H2Case[] = [
  ...late('half-closed (remote)', 1, heldRequest),
  ...late('closed by both sides', 1, answeredRequest),
  ...late('closed by RST_STREAM of the client', 1, async (client, rig) => {
    const id = await heldRequest(client, rig);
    client.send(rstStream(id));
    return id;
  }),
  ...(
    [
      ['WINDOW_UPDATE', (id) => windowUpdate(id, 100)],
      ['PRIORITY', (id) => priority(id, 0)],
      ['RST_STREAM', (id) => rstStream(id)],
    ] as readonly [string, (id: number) => Buffer][]
  ).flatMap(([name, make]): H2Case[] => [
    {
      name: `${name} on a stream that is half-closed (remote)`,
      source: 'RFC 9113 5.1',
      play: async (client, rig) => client.send(make(await heldRequest(client, rig))),
      expect: [ignored],
      forwarded: 1,
    },
    {
      name: `${name} on a stream that is closed`,
      source: 'RFC 9113 5.1',
      play: async (client) => client.send(make(await answeredRequest(client))),
      expect: [ignored],
      forwarded: 1,
    },
  ]),
  {
    name: 'RST_STREAM ends the work for the request at the origin',
    source: 'RFC 9113 5.4.2',
    play: async (client, rig) => {
      client.send(rstStream(await heldRequest(client, rig)));
      await rig.origin.until(() => rig.origin.openConnections.length === 0, 'the end of the upstream connection');
    },
    expect: [ignored],
    forwarded: 1,
  },
  {
    name: 'a second block without END_STREAM',
    source: 'RFC 9113 8.1',
    play: (client) => {
      const id = client.take();
      client.send(headers(id, POST), headers(id, block([['a', 'b']])));
    },
    expect: [streamError(1, Code.PROTOCOL_ERROR)],
    forwarded: 0,
  },
];

export const identifiers: readonly H2Case[] = [
  {
    name: 'a request on an even stream',
    source: 'RFC 9113 5.1.1',
    play: (client) => client.send(headers(2, REQUEST, WHOLE)),
    expect: [connectionError(Code.PROTOCOL_ERROR)],
    forwarded: 0,
  },
  {
    name: 'a request on stream 0',
    source: 'RFC 9113 6.2',
    play: (client) => client.send(headers(0, REQUEST, WHOLE)),
    expect: [connectionError(Code.PROTOCOL_ERROR)],
    forwarded: 0,
  },
  {
    name: 'a request on a stream that a higher one has closed',
    source: 'RFC 9113 5.1.1',
    play: async (client) => {
      client.send(headers(5, REQUEST, WHOLE));
      await client.finished(5);
      client.send(headers(3, REQUEST, WHOLE));
    },
    expect: [connectionError(Code.PROTOCOL_ERROR)],
    forwarded: 1,
  },
  {
    name: 'a request on the highest stream',
    source: 'RFC 9113 5.1.1',
    play: async (client) => {
      client.send(headers(0x7fffffff, REQUEST, WHOLE));
      const { status } = await client.finished(0x7fffffff);
      if (status !== 200) throw new Error(`status ${status}`);
      client.send(headers(0, REQUEST, WHOLE));
    },
    expect: [connectionError(Code.PROTOCOL_ERROR)],
    forwarded: 1,
  },
];

export const concurrency: readonly H2Case[] = [
  {
    name: 'one request more than the server allows at a time',
    source: 'RFC 9113 5.1.2',
    play: async (client, rig) => {
      holdAnswers(rig);
      await client.until(() => client.settings.size > 0, 'the settings');
      const limit = client.settings.get(Setting.MAX_CONCURRENT_STREAMS) as number;
      if (!(limit >= 1 && limit <= 1_000)) throw new Error(`limit of concurrent streams: ${limit}`);
      for (let opened = 0; opened < limit; opened++) client.ask();
      await rig.origin.until(() => rig.requests.length === limit, `${limit} requests at the origin`);
      const id = client.ask();
      const { reset } = await client.finished(id);
      if (reset !== Code.REFUSED_STREAM && reset !== Code.PROTOCOL_ERROR) throw new Error(`reset with ${reset}`);
      // Room again: the next one is taken.
      client.send(rstStream(1));
      await rig.origin.until(() => rig.origin.openConnections.length === limit - 1, 'the end of the cancelled request');
    },
    expect: [{ kind: 'stream-error', stream: 201, codes: [Code.REFUSED_STREAM, Code.PROTOCOL_ERROR] }],
    forwarded: 100,
  },
  {
    name: 'many requests, one after the other and side by side',
    source: 'RFC 9113 5',
    play: async (client) => {
      for (let round = 0; round < 20; round++) {
        const ids = Array.from({ length: 20 }, () => client.ask());
        for (const id of ids) await client.finished(id);
      }
    },
    expect: [ignored],
    forwarded: 400,
  },
  {
    name: 'PUSH_PROMISE of a client',
    source: 'RFC 9113 8.4',
    play: (client) => {
      const id = client.take();
      const promise = frame(
        FrameType.PUSH_PROMISE,
        Flag.END_HEADERS,
        id,
        Buffer.concat([Buffer.from([0, 0, 0, 2]), REQUEST]),
      );
      client.send(headers(id, POST), promise);
    },
    expect: [connectionError(Code.PROTOCOL_ERROR)],
    forwarded: 0,
  },
];
