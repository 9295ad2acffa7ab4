/**
 * One side of an HTTP/2 connection, frame by frame: sends whatever a test wants, and judges all that the proxy sends.
 *
 * What the proxy does wrong is noted in `anomalies`; what it does is in `frames`, `streams` and the facts beside them.
 */

import { H2FrameReader } from './h2-frame-reader.ts';
import {
  Code,
  DEFAULT_FRAME_SIZE,
  data,
  describeFrame,
  Flag,
  FrameType,
  type H2Frame,
  ping,
  Setting,
  settingsAck,
  windowUpdate,
} from './h2-frames.ts';
import { HpackReader } from './h2-hpack.ts';
import { H2SendWindows } from './h2-send-windows.ts';
import { H2StreamRecord, type Sender } from './h2-stream-record.ts';
import { H2Windows } from './h2-windows.ts';
import type { WireSocket } from './wire-socket.ts';

export interface Goaway {
  readonly lastStream: number;
  readonly code: number;
  readonly debug: string;
}

export interface H2PeerOptions {
  /** Acknowledge SETTINGS. Default true. */
  readonly ackSettings?: boolean;
  /** Acknowledge PING. Default true. */
  readonly ackPing?: boolean;
  /** Give back the octets of each DATA frame at once. Default true. */
  readonly giveWindow?: boolean;
}

const KEPT_FRAMES = 2_000;

export class H2Peer {
  readonly wire: WireSocket;
  readonly options: Required<H2PeerOptions>;
  readonly anomalies: string[] = [];
  /** The first of what came. */
  readonly frames: H2Frame[] = [];
  readonly streams: Map<number, H2StreamRecord> = new Map();
  readonly goaways: Goaway[] = [];
  readonly pingAcks: string[] = [];
  /** Settings of the proxy, by identifier. */
  readonly settings: Map<number, number> = new Map();
  settingsAcks = 0;
  /** Called for each head that begins a stream. */
  onStream: (stream: H2StreamRecord) => void = () => {};
  /** Called for each stream that the other side has ended. */
  onStreamEnd: (stream: H2StreamRecord) => void = () => {};
  readonly #sender: Sender;
  readonly #reader = new H2FrameReader();
  readonly #hpack = new HpackReader();
  readonly #windows = new H2Windows();
  /** What this side may send. */
  readonly room: H2SendWindows = new H2SendWindows();
  readonly #pings: string[] = [];
  /** Table sizes of the SETTINGS that are not acknowledged. */
  readonly #tables: (number | undefined)[] = [];
  #settingsSent = 0;
  #maxFrameSize = DEFAULT_FRAME_SIZE;
  #settingsCame = false;
  #block: { stream: number; end: boolean; parts: Buffer[] } | undefined;

  /** `sender`: the role that the proxy plays. */
  constructor(wire: WireSocket, sender: Sender, options: H2PeerOptions = {}) {
    this.wire = wire;
    this.#sender = sender;
    this.options = { ackSettings: true, ackPing: true, giveWindow: true, ...options };
    this.#reader.onFrame = (frame) => this.#onFrame(frame);
  }

  push(bytes: Buffer): void {
    this.#reader.push(bytes);
    const { unfinished } = this.#reader;
    if (unfinished > this.#maxFrameSize + 9) this.#odd(`a frame of at least ${unfinished} octets`);
  }

  /** Sends frames, each a buffer of its own: their windows and settings are taken into account. */
  send(...frames: readonly Buffer[]): void {
    for (const bytes of frames) this.#onSent(bytes);
    this.raw(Buffer.concat(frames));
  }

  /** Sends octets that are taken into no account. */
  raw(bytes: Buffer | string): void {
    this.wire.send(bytes);
  }

  /** Ends this side of the connection in order. */
  finish(): void {
    this.wire.finish();
  }

  get isClosed(): boolean {
    return this.wire.ending !== undefined;
  }

  /** The last GOAWAY with an error. */
  get failure(): Goaway | undefined {
    return this.goaways.findLast(({ code }) => code !== Code.NO_ERROR);
  }

  stream(id: number): H2StreamRecord | undefined {
    return this.streams.get(id);
  }

  count(type: number): number {
    return this.frames.filter((frame) => frame.type === type).length;
  }

  until(condition: () => boolean, what: string, timeoutMs: number = 3_000): Promise<void> {
    return this.wire.board.until(condition, what, timeoutMs, () => this.describe());
  }

  /** Waits for a PING to come back, or for the end of the connection. True: everything sent before has been read. */
  async roundTrip(timeoutMs?: number): Promise<boolean> {
    const payload = `trip${String(this.#pings.length).padStart(4, '0')}`;
    this.send(ping(payload));
    await this.until(() => this.pingAcks.includes(payload) || this.isClosed, 'the answer to a PING', timeoutMs);
    return this.pingAcks.includes(payload);
  }

  describe(): string {
    const came = this.frames.slice(-30).map(describeFrame).join('; ');
    const odd = this.anomalies.length > 0 ? `, not allowed: ${this.anomalies.join('; ')}` : '';
    return `connection ${this.wire.ending ?? 'open'}${odd}, last of ${this.frames.length} frames: ${came}`;
  }

  /** Sends a body as fast as the windows allow; stops when the stream is reset or the connection has ended. */
  async upload(id: number, body: Buffer, end: boolean = true, timeoutMs?: number): Promise<void> {
    for (let at = 0; at < body.length; ) {
      const isOver = (): boolean => this.isClosed || this.stream(id)?.reset !== undefined;
      await this.until(() => this.room.room(id) > 0 || isOver(), `a window for octet ${at} of stream ${id}`, timeoutMs);
      if (isOver()) return;
      const next = Math.min(body.length, at + Math.min(this.room.room(id), DEFAULT_FRAME_SIZE));
      this.send(data(id, body.subarray(at, next), end && next === body.length ? Flag.END_STREAM : 0));
      at = next;
    }
  }

  /** Sends as much of a body as the windows and the socket take now, and answers how much that was. */
  pour(id: number): number {
    const octets = this.wire.unsentSize > DEFAULT_FRAME_SIZE ? 0 : Math.min(this.room.room(id), DEFAULT_FRAME_SIZE);
    if (octets > 0) this.send(data(id, Buffer.alloc(octets, 'x')));
    return Math.max(0, octets);
  }

  #onSent(bytes: Buffer): void {
    if (bytes.length < 9) return;
    const [type, flags, stream, payload] = [bytes[3], bytes[4] as number, bytes.readUInt32BE(5), bytes.subarray(9)];
    if (type === FrameType.WINDOW_UPDATE && payload.length === 4) {
      this.#windows.updateSent(stream, payload.readUInt32BE(0) & 0x7fffffff);
    } else if (type === FrameType.DATA) {
      this.room.sent(stream, payload.length);
    } else if (type === FrameType.PING && (flags & Flag.ACK) === 0) {
      this.#pings.push(payload.toString('latin1'));
    } else if (type === FrameType.SETTINGS && (flags & Flag.ACK) === 0) {
      this.#settingsSent++;
      const sent = pairsOf(payload);
      this.#windows.settingsSent(sent.get(Setting.INITIAL_WINDOW_SIZE));
      this.#maxFrameSize = Math.max(this.#maxFrameSize, sent.get(Setting.MAX_FRAME_SIZE) ?? 0);
      const table = sent.get(Setting.HEADER_TABLE_SIZE);
      this.#tables.push(table);
      this.#hpack.limit = Math.max(this.#hpack.limit, table ?? 0);
    }
  }

  #onFrame(frame: H2Frame): void {
    if (this.frames.length < KEPT_FRAMES) this.frames.push(frame);
    if (frame.payload.length > this.#maxFrameSize) this.#odd(`${describeFrame(frame)} is too large`);
    if (!this.#settingsCame && (frame.type !== FrameType.SETTINGS || (frame.flags & Flag.ACK) !== 0)) {
      this.#odd(`${describeFrame(frame)} before SETTINGS`);
    }
    if (this.#block !== undefined && (frame.type !== FrameType.CONTINUATION || frame.stream !== this.#block.stream)) {
      this.#odd(`${describeFrame(frame)} within a field block`);
    }
    this.#takeFrame(frame);
  }

  #takeFrame(frame: H2Frame): void {
    const { type, payload } = frame;
    if (type === FrameType.DATA) this.#onData(frame);
    else if (type === FrameType.HEADERS || type === FrameType.CONTINUATION) this.#onBlock(frame);
    else if (type === FrameType.RST_STREAM) this.#onReset(frame);
    else if (type === FrameType.SETTINGS) this.#onSettings(frame);
    else if (type === FrameType.PING) this.#onPing(frame);
    else if (type === FrameType.GOAWAY) this.#onGoaway(frame);
    else if (type === FrameType.WINDOW_UPDATE) {
      if (payload.length !== 4 || payload.readUInt32BE(0) === 0) this.#odd(describeFrame(frame));
      else this.room.updateCame(frame.stream, payload.readUInt32BE(0));
    } else if (type !== FrameType.PRIORITY) this.#odd(describeFrame(frame));
  }

  #onData(frame: H2Frame): void {
    const record = this.#recordOf(frame, false);
    const odd = this.#windows.dataReceived(frame.stream, frame.payload.length);
    if (odd !== undefined) this.#odd(odd);
    if (this.options.giveWindow && frame.payload.length > 0) {
      this.send(windowUpdate(0, frame.payload.length));
      if ((frame.flags & Flag.END_STREAM) === 0) this.send(windowUpdate(frame.stream, frame.payload.length));
    }
    record?.onData(withoutPadding(frame), (frame.flags & Flag.END_STREAM) !== 0);
    if (record?.ended) this.onStreamEnd(record);
  }

  #onBlock(frame: H2Frame): void {
    if (frame.type === FrameType.HEADERS) {
      const payload = withoutPadding(frame);
      const parts = [(frame.flags & Flag.PRIORITY) === 0 ? payload : payload.subarray(5)];
      this.#block = { stream: frame.stream, end: (frame.flags & Flag.END_STREAM) !== 0, parts };
    } else this.#block?.parts.push(frame.payload);
    if (this.#block === undefined) this.#odd(describeFrame(frame));
    if (this.#block === undefined || (frame.flags & Flag.END_HEADERS) === 0) return;
    const { end, parts } = this.#block;
    this.#block = undefined;
    this.#onHead(frame, Buffer.concat(parts), end);
  }

  #onHead(frame: H2Frame, block: Buffer, end: boolean): void {
    try {
      const fields = this.#hpack.decode(block);
      const isNew = !this.streams.has(frame.stream);
      const record = this.#recordOf(frame, true);
      record?.onHeaders(fields, end);
      if (record !== undefined && isNew) this.onStream(record);
      if (record?.ended) this.onStreamEnd(record);
    } catch (error) {
      this.#odd(`field block: ${String(error)}`);
    }
  }

  #onReset(frame: H2Frame): void {
    if (frame.payload.length !== 4) {
      this.#odd(`RST_STREAM of ${frame.payload.length} octets`);
      return;
    }
    // A stream may be refused before anything was sent on it.
    this.#recordOf(frame, this.#sender === 'server')?.onReset(frame.payload.readUInt32BE(0));
  }

  #onSettings({ flags, stream, payload }: H2Frame): void {
    if (stream !== 0) this.#odd('SETTINGS on a stream');
    if ((flags & Flag.ACK) !== 0) {
      this.#windows.settingsAcked();
      this.#hpack.limit = this.#tables.shift() ?? this.#hpack.limit;
      if (++this.settingsAcks > this.#settingsSent) this.#odd('acknowledgement of SETTINGS that were not sent');
      return;
    }
    this.#settingsCame = true;
    for (const [id, value] of pairsOf(payload)) this.settings.set(id, value);
    this.room.settingsCame(this.settings.get(Setting.INITIAL_WINDOW_SIZE));
    if (this.options.ackSettings) this.send(settingsAck());
  }

  #onPing({ flags, payload }: H2Frame): void {
    if (payload.length !== 8) this.#odd(`PING of ${payload.length} octets`);
    if ((flags & Flag.ACK) === 0) {
      if (this.options.ackPing) this.send(ping(payload, Flag.ACK));
      return;
    }
    const text = payload.toString('latin1');
    if (!this.#pings.includes(text)) this.#odd(`PING acknowledgement ${JSON.stringify(text)} for none that was sent`);
    this.pingAcks.push(text);
  }

  #onGoaway({ stream, payload }: H2Frame): void {
    if (stream !== 0 || payload.length < 8) {
      this.#odd('GOAWAY that is not well-formed');
      return;
    }
    const lastStream = payload.readUInt32BE(0);
    const before = this.goaways.at(-1)?.lastStream ?? 0x7fffffff;
    if (lastStream > before) this.#odd(`GOAWAY with last stream ${lastStream} after ${before}`);
    this.goaways.push({ lastStream, code: payload.readUInt32BE(4), debug: payload.toString('latin1', 8) });
  }

  #recordOf(frame: H2Frame, mayBegin: boolean): H2StreamRecord | undefined {
    const { stream: id } = frame;
    const found = this.streams.get(id);
    if (found !== undefined) return found;
    if (id === 0 || id % 2 === 0 || !mayBegin) {
      this.#odd(`${describeFrame(frame)} on no open stream`);
      return undefined;
    }
    const record = new H2StreamRecord(id, this.#sender, (what) => this.#odd(what));
    this.streams.set(id, record);
    return record;
  }

  #odd(what: string): void {
    if (this.anomalies.length < 100) this.anomalies.push(what);
  }
}

function pairsOf(payload: Buffer): Map<number, number> {
  const pairs = new Map<number, number>();
  for (let at = 0; at + 6 <= payload.length; at += 6) pairs.set(payload.readUInt16BE(at), payload.readUInt32BE(at + 2));
  return pairs;
}

function withoutPadding({ flags, payload }: H2Frame): Buffer {
  return (flags & Flag.PADDED) === 0 ? payload : payload.subarray(1, payload.length - (payload[0] as number));
}
