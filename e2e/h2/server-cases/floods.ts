/**
 * Clients that want to wear the server out: the attacks of 2019 to 2026 on HTTP/2, each with what must become of it.
 */
import { type H2Client, request } from '../../src/h2-client.ts';
import {
  Code,
  continuation,
  data,
  Flag,
  FrameType,
  frame,
  headers,
  MAX_WINDOW,
  ping,
  priority,
  rstStream,
  Setting,
  settings,
  windowUpdate,
} from '../../src/h2-frames.ts';
import { block, type H2Field, indexed, literal } from '../../src/h2-hpack.ts';

/** What a client does over and over. */
export interface Flood {
  readonly name: string;
  /** CVE or RFC section. */
  readonly source: string;
  /** Comes first. */
  begin?(client: H2Client): void;
  /** The frames of one round. */
  round(client: H2Client, count: number): readonly Buffer[];
  readonly rounds: number;
  /** Permitted codes of the GOAWAY. */
  readonly codes: readonly number[];
  /** Requests that the origin may get at most. Default 0. */
  readonly maxRequests?: number;
}

const REQUEST = block(request('/flood'));
const POST = block(request('/flood', 'POST'));
const WHOLE = Flag.END_HEADERS | Flag.END_STREAM;
const CALM = [Code.ENHANCE_YOUR_CALM];
/** 100 concurrent requests, as many resets again within the budget of 200, and what is under way meanwhile. */
const BOUNDED = 400;

function openRequest(client: H2Client): void {
  client.send(headers(client.take(), POST));
}

/** Streams that are reset, each in its own way. */
export const resets: readonly Flood[] = [
  {
    name: 'requests that are reset at once',
    source: 'CVE-2023-44487',
    round: (client) => {
      const id = client.take();
      return [headers(id, REQUEST, WHOLE), rstStream(id)];
    },
    rounds: 20_000,
    codes: CALM,
    maxRequests: BOUNDED,
  },
  {
    name: 'uploads that are reset at once',
    source: 'CVE-2023-44487',
    round: (client) => {
      const id = client.take();
      return [headers(id, POST), data(id, 'a'), rstStream(id)];
    },
    rounds: 20_000,
    codes: CALM,
    maxRequests: BOUNDED,
  },
  ...(
    [
      ['a WINDOW_UPDATE of 0', (id) => windowUpdate(id, 0)],
      ['a window beyond 2^31-1', (id) => windowUpdate(id, MAX_WINDOW)],
      ['DATA after END_STREAM', (id) => data(id, 'a')],
      ['HEADERS after END_STREAM', (id) => headers(id, REQUEST, WHOLE)],
      ['PRIORITY of 4 octets', (id) => frame(FrameType.PRIORITY, 0, id, Buffer.alloc(4))],
      ['PRIORITY on itself', (id) => priority(id, id)],
    ] as readonly [string, (id: number) => Buffer][]
  ).map(
    ([name, make]): Flood => ({
      name: `requests that the server must reset because of ${name}`,
      source: 'CVE-2025-8671',
      round: (client) => {
        const id = client.take();
        return [headers(id, REQUEST, WHOLE), make(id)];
      },
      rounds: 20_000,
      codes: [Code.ENHANCE_YOUR_CALM, Code.STREAM_CLOSED, Code.FRAME_SIZE_ERROR, Code.PROTOCOL_ERROR],
      maxRequests: BOUNDED,
    }),
  ),
  {
    name: 'malformed requests',
    source: 'CVE-2025-8671',
    round: (client) => [headers(client.take(), block(request('no-slash')), WHOLE)],
    rounds: 20_000,
    codes: CALM,
  },
  {
    name: 'more requests than are allowed at a time',
    source: 'CVE-2025-8671',
    round: (client) => [headers(client.take(), POST)],
    rounds: 20_000,
    codes: CALM,
    maxRequests: 100,
  },
];

/** Frames that carry nothing. */
export const noise: readonly Flood[] = (
  [
    ['SETTINGS', 'CVE-2019-9515', () => settings()],
    [
      'SETTINGS that change a window',
      'CVE-2019-9515',
      (count) => settings([Setting.INITIAL_WINDOW_SIZE, 65_535 + (count % 2)]),
    ],
    ['PING', 'CVE-2019-9512', () => ping('floodfld')],
    ['PING acknowledgements', 'CVE-2019-9512', () => ping('floodfld', Flag.ACK)],
    ['PRIORITY', 'CVE-2019-9513', (count) => priority(1 + 2 * (count % 1_000), 0)],
    ['WINDOW_UPDATE of the connection', 'CVE-2019-9511', () => windowUpdate(0, 1)],
    ['WINDOW_UPDATE of a stream', 'CVE-2019-9511', () => windowUpdate(1, 1)],
    ['empty DATA', 'CVE-2019-9518', () => data(1, '')],
    ['DATA of nothing but padding', 'CVE-2019-9518', () => data(1, Buffer.from([1, 0]), Flag.PADDED)],
    ['unknown frames', 'RFC 9113 10.5', () => frame(0xf7, 0, 0, 'a')],
    ['RST_STREAM of a stream that is closed', 'RFC 9113 10.5', () => rstStream(3)],
  ] as readonly [string, string, (count: number) => Buffer][]
).map(([name, source, make]) => ({
  name,
  source,
  begin: (client) => {
    openRequest(client);
    client.send(headers(client.take(), POST), rstStream(3));
  },
  round: (_, count) => [make(count)],
  rounds: 100_000,
  // Of the two uploads that begin it.
  maxRequests: 2,
  codes: name === 'DATA of nothing but padding' ? [Code.ENHANCE_YOUR_CALM, Code.FLOW_CONTROL_ERROR] : CALM,
}));

/** Field blocks that never end, or mean much more than they are. */
export const blocks: readonly Flood[] = [
  ...(
    [
      ['empty', Buffer.alloc(0), 200_000],
      ['of one octet', Buffer.from([0x82]), 200_000],
      ['of 16,384 octets', Buffer.alloc(16_384, 0x82), 2_000],
    ] as const
  ).map(
    ([name, bytes, rounds]): Flood => ({
      name: `CONTINUATION frames, ${name}`,
      source: 'CVE-2024-27316, VU#421644',
      begin: (client) => client.send(headers(client.take(), REQUEST, Flag.END_STREAM)),
      round: () => [continuation(1, bytes, 0)],
      rounds,
      codes: [Code.ENHANCE_YOUR_CALM, Code.PROTOCOL_ERROR],
    }),
  ),
];

/** One block that means much more than it is; permitted are an answer of 431, a reset or the end of the connection. */
export interface Bomb {
  readonly name: string;
  readonly source: string;
  /** Sent once before, each as a request of its own. */
  readonly fuse: readonly Buffer[];
  readonly block: Buffer;
  /** How often the block is sent, each time on a new stream. */
  readonly times: number;
}

const SMALL = [...REQUEST];

function repeated(bytes: Buffer, octets: number): Buffer {
  return Buffer.concat([Buffer.from(SMALL), ...Array.from({ length: Math.floor(octets / bytes.length) }, () => bytes)]);
}

function many(count: number, field: (at: number) => H2Field): Buffer {
  return block([...request('/flood'), ...Array.from({ length: count }, (_, at) => field(at))]);
}

export const bombs: readonly Bomb[] = [
  {
    name: '15,000 references to a field of 4,000 octets',
    source: 'CVE-2016-6581',
    fuse: [Buffer.concat([REQUEST, literal('x', 'a'.repeat(4_000), 'indexed')])],
    block: repeated(indexed(62), 15_000),
    times: 100,
  },
  {
    name: '15,000 references to an empty field',
    source: 'CVE-2026-49975',
    fuse: [Buffer.concat([REQUEST, literal('x', '', 'indexed')])],
    block: repeated(indexed(62), 15_000),
    times: 100,
  },
  {
    name: '15,000 references to a crumb of a cookie',
    source: 'CVE-2026-49975',
    fuse: [Buffer.concat([REQUEST, literal('cookie', 'a', 'indexed')])],
    block: repeated(indexed(62), 15_000),
    times: 100,
  },
  {
    name: '15,000 entries of the static table',
    source: 'CVE-2026-47774',
    fuse: [],
    block: repeated(indexed(16), 15_000),
    times: 100,
  },
  {
    name: '3,000 empty fields without a name',
    source: 'CVE-2019-9516',
    fuse: [],
    block: many(3_000, () => ['', '']),
    times: 100,
  },
  {
    name: '1,000 fields',
    source: 'CVE-2026-49975',
    fuse: [],
    block: many(1_000, (at) => [`x-${at}`, 'a']),
    times: 100,
  },
];

/** A good request after 60 cancelled ones, and acknowledgements as any client sends them: nothing of this is an attack. */
export function busyClient(client: H2Client, count: number): readonly Buffer[] {
  const id = client.take();
  const cancelled = count % 2 === 0 ? [rstStream(id)] : [];
  return [headers(id, REQUEST, WHOLE), windowUpdate(0, 10), ping('busybusy'), ...cancelled];
}
