/**
 * Windows: RFC 9113 section 6.9. That the proxy keeps within them is judged in every case, by the client's own count.
 */
import { answer, closed, connectionError, type H2Case, ignored, streamError } from '../../src/h2-case.ts';
import { type H2Client, request } from '../../src/h2-client.ts';
import {
  Code,
  data,
  Flag,
  FrameType,
  frame,
  headers,
  MAX_WINDOW,
  rstStream,
  Setting,
  settings,
  windowUpdate,
} from '../../src/h2-frames.ts';
import { block } from '../../src/h2-hpack.ts';
import { plainAnswer } from '../../src/recording-origin.ts';
import { answerWith, heldRequest } from './scripts.ts';

const POST = block(request('/', 'POST'));

async function sizeIs(client: H2Client, id: number, octets: number): Promise<void> {
  await client.until(() => client.stream(id)?.bodySize === octets, `${octets} octets on stream ${id}`);
  // Nothing more may be under way.
  await client.roundTrip();
  const { bodySize } = client.stream(id) ?? {};
  if (bodySize !== octets) throw new Error(`${bodySize} octets on stream ${id}, allowed were ${octets}`);
}

export const updates: readonly H2Case[] = [
  {
    name: 'WINDOW_UPDATE of 0 on the connection',
    source: 'RFC 9113 6.9',
    play: (client) => client.send(windowUpdate(0, 0)),
    expect: [connectionError(Code.PROTOCOL_ERROR)],
  },
  {
    name: 'WINDOW_UPDATE of 0 with the reserved bit on the connection',
    source: 'RFC 9113 6.9',
    play: (client) => client.send(windowUpdate(0, 0x80000000)),
    expect: [connectionError(Code.PROTOCOL_ERROR)],
  },
  {
    name: 'WINDOW_UPDATE of 0 on a stream',
    source: 'RFC 9113 6.9',
    play: (client) => client.send(headers(client.take(), POST), windowUpdate(1, 0)),
    expect: [streamError(1, Code.PROTOCOL_ERROR)],
    forwarded: 0,
  },
  ...[3, 5].flatMap((length) =>
    [0, 1].map(
      (stream): H2Case => ({
        name: `WINDOW_UPDATE of ${length} octets on stream ${stream}`,
        source: 'RFC 9113 6.9',
        play: (client) =>
          client.send(headers(client.take(), POST), frame(FrameType.WINDOW_UPDATE, 0, stream, Buffer.alloc(length, 1))),
        expect: [connectionError(Code.FRAME_SIZE_ERROR)],
        forwarded: 0,
      }),
    ),
  ),
  {
    name: 'WINDOW_UPDATE with the reserved bit',
    source: 'RFC 9113 6.9',
    play: (client) => {
      client.send(windowUpdate(0, 0x80000001));
      client.ask();
    },
    expect: [answer()],
  },
  {
    name: 'a window of the connection beyond 2^31-1',
    source: 'RFC 9113 6.9.1',
    play: (client) => client.send(windowUpdate(0, MAX_WINDOW), windowUpdate(0, MAX_WINDOW)),
    expect: [connectionError(Code.FLOW_CONTROL_ERROR)],
  },
  {
    name: 'a window of a stream beyond 2^31-1',
    source: 'RFC 9113 6.9.1',
    play: (client) =>
      client.send(headers(client.take(), POST), windowUpdate(1, MAX_WINDOW), windowUpdate(1, MAX_WINDOW)),
    expect: [streamError(1, Code.FLOW_CONTROL_ERROR)],
    forwarded: 0,
  },
  {
    name: 'windows of exactly 2^31-1',
    source: 'RFC 9113 6.9.1',
    play: (client) => {
      const id = client.take();
      client.send(windowUpdate(0, MAX_WINDOW - 65_535), headers(id, POST), windowUpdate(id, MAX_WINDOW - 65_535));
      client.send(data(id, 'abc', Flag.END_STREAM));
    },
    expect: [answer()],
  },
  {
    name: 'SETTINGS that push the window of a stream beyond 2^31-1',
    source: 'RFC 9113 6.9.2',
    play: (client) =>
      client.send(
        headers(client.take(), POST),
        windowUpdate(1, MAX_WINDOW - 65_535),
        settings([Setting.INITIAL_WINDOW_SIZE, 65_536]),
      ),
    expect: [connectionError(Code.FLOW_CONTROL_ERROR)],
    forwarded: 0,
  },
];

export const windows: readonly H2Case[] = [
  {
    name: 'a window of one octet, then of another',
    source: 'RFC 9113 6.9.1',
    options: { settings: [[Setting.INITIAL_WINDOW_SIZE, 1]], giveWindow: false },
    play: async (client) => {
      const id = client.ask();
      await sizeIs(client, id, 1);
      client.send(windowUpdate(id, 1));
    },
    expect: [answer()],
    check: (_, client) => bodyIs(client, 'ok'),
  },
  {
    name: 'of two values of one setting the last counts',
    source: 'RFC 9113 6.5.3',
    options: {
      settings: [
        [Setting.INITIAL_WINDOW_SIZE, 100],
        [Setting.INITIAL_WINDOW_SIZE, 1],
      ],
      giveWindow: false,
    },
    play: async (client) => {
      const id = client.ask();
      await sizeIs(client, id, 1);
      client.send(windowUpdate(id, 100));
    },
    expect: [answer()],
  },
  {
    name: 'a window that grows by SETTINGS while the answer waits',
    source: 'RFC 9113 6.9.2',
    options: { settings: [[Setting.INITIAL_WINDOW_SIZE, 0]], giveWindow: false },
    play: async (client) => {
      const id = client.ask();
      await client.until(() => client.stream(id)?.head !== undefined, 'the head');
      await sizeIs(client, id, 0);
      client.send(settings([Setting.INITIAL_WINDOW_SIZE, 1]));
      await sizeIs(client, id, 1);
      client.send(settings([Setting.INITIAL_WINDOW_SIZE, 2]));
    },
    expect: [answer()],
  },
  {
    name: 'a window that has become negative',
    source: 'RFC 9113 6.9.2',
    options: { settings: [[Setting.INITIAL_WINDOW_SIZE, 3]], giveWindow: false },
    play: async (client, rig) => {
      answerWith(rig, plainAnswer('abcdefgh'));
      const id = client.ask();
      await sizeIs(client, id, 3);
      client.send(settings([Setting.INITIAL_WINDOW_SIZE, 2]));
      await client.until(() => client.settingsAcks === 2, 'the acknowledgement');
      client.send(windowUpdate(id, 1));
      await sizeIs(client, id, 3);
      client.send(windowUpdate(id, 2));
      await sizeIs(client, id, 5);
      client.send(settings([Setting.INITIAL_WINDOW_SIZE, 1_000]));
    },
    expect: [answer()],
    check: (_, client) => bodyIs(client, 'abcdefgh'),
  },
  {
    name: 'the window of the connection, shared by streams',
    source: 'RFC 9113 6.9.1',
    options: { settings: [[Setting.INITIAL_WINDOW_SIZE, MAX_WINDOW]], giveWindow: false },
    play: async (client, rig) => {
      answerWith(rig, plainAnswer('a'.repeat(40_000)));
      const ids = [client.ask(), client.ask()];
      const received = (): number => ids.reduce((sum, id) => sum + (client.stream(id)?.bodySize ?? 0), 0);
      await client.until(() => received() === 65_535, 'a full window');
      await client.roundTrip();
      if (received() !== 65_535) throw new Error(`${received()} octets`);
      client.send(windowUpdate(0, 100_000));
      for (const id of ids) await client.finished(id);
    },
    expect: [ignored],
    forwarded: 2,
  },
  {
    name: 'an answer without a body needs no window',
    source: 'RFC 9113 6.9',
    options: { settings: [[Setting.INITIAL_WINDOW_SIZE, 0]] },
    play: (client, rig) => {
      answerWith(rig, plainAnswer(''));
      client.ask();
      // The probe on the same connection has a body.
      client.send(settings([Setting.INITIAL_WINDOW_SIZE, 100]));
    },
    expect: [answer()],
  },
  {
    name: 'a long answer within default windows',
    source: 'RFC 9113 6.9',
    play: async (client, rig) => {
      answerWith(rig, plainAnswer('x'.repeat(3_000_000)));
      const { bodySize } = await client.finished(client.ask(), 10_000);
      if (bodySize !== 3_000_000) throw new Error(`${bodySize} octets`);
    },
    expect: [ignored],
    forwarded: 1,
  },
  {
    name: 'a long upload within the windows that the server gives',
    source: 'RFC 9113 6.9',
    play: async (client) => {
      const id = client.take();
      client.send(headers(id, POST));
      await client.upload(id, Buffer.alloc(5_000_000, 'u'), true, 10_000);
      await client.finished(id);
    },
    expect: [answer()],
    check: ([arrived]) => {
      if (arrived?.body.size !== 5_000_000) throw new Error(`${arrived?.body.size} octets at the origin`);
    },
  },
  {
    name: 'octets of cancelled uploads are given back to the connection',
    source: 'RFC 9113 6.9, 5.1',
    play: async (client) => {
      await client.until(() => client.settings.size > 0, 'the settings');
      for (let count = 0; count < 60; count++) {
        const id = client.take();
        client.send(headers(id, POST));
        await client.upload(id, Buffer.alloc(60_000, 'u'), false);
        client.send(rstStream(id));
      }
      const id = client.take();
      client.send(headers(id, POST));
      await client.upload(id, Buffer.alloc(1_000_000), true, 5_000);
      const { status } = await client.finished(id);
      if (status !== 200) throw new Error(`status ${status}`);
    },
    expect: [ignored],
    check: (requests) => {
      if (requests.at(-1)?.body.size !== 1_000_000) throw new Error('the last upload did not arrive');
    },
    forwarded: 1,
  },
];

export const violations: readonly H2Case[] = [
  {
    name: 'an upload far beyond the windows, while the origin does not read',
    source: 'RFC 9113 6.9.1',
    play: (client, rig) => {
      rig.origin.onHead = ({ connection }) => connection.wire.pause();
      client.send(headers(client.take(), POST));
      const piece = data(1, Buffer.alloc(16_384));
      for (let sent = 0; sent < 32 * 1_024 * 1_024; sent += 16_384) client.raw(piece);
    },
    // The stream may be given up first; what comes after that fills the window of the connection. While the rest still
    // arrives, the reset that follows can overtake the GOAWAY.
    expect: [connectionError(Code.FLOW_CONTROL_ERROR, Code.ENHANCE_YOUR_CALM), closed],
    forwarded: 0,
    large: true,
    timeoutMs: 10_000,
  },
  {
    name: 'WINDOW_UPDATE beyond 2^31-1 on a stream whose answer is due',
    source: 'RFC 9113 6.9.1',
    play: async (client, rig) => {
      const id = await heldRequest(client, rig);
      client.send(windowUpdate(id, MAX_WINDOW));
    },
    expect: [streamError(1, Code.FLOW_CONTROL_ERROR)],
    forwarded: 1,
  },
];

function bodyIs(client: H2Client, text: string): void {
  const body = client.stream(1)?.body.toString('latin1');
  if (body !== text) throw new Error(`body ${body}`);
}
