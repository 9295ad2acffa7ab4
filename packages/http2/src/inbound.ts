/**
 * Takes frames in the order that RFC 9113 allows and acts on those that are not about messages: settings, windows, resets,
 * pings, priorities, GOAWAY. DATA is in inbound-data.ts, HEADERS in inbound-heads.ts.
 */
import { latin1 } from '@cirque/http';
import type { ConnectionCore } from './connection-core.ts';
import { ErrorCode } from './error-code.ts';
import {
  CONTINUATION,
  FLAG_ACK,
  GOAWAY,
  HEADERS,
  PING,
  PRIORITY,
  PUSH_PROMISE,
  RST_STREAM,
  SETTINGS,
  WINDOW_UPDATE,
} from './frame.ts';
import type { FrameSink } from './frame-reader.ts';
import { InboundData } from './inbound-data.ts';
import { InboundHeads } from './inbound-heads.ts';
import { readSettings } from './settings.ts';

/** Bytes of debug text of a GOAWAY that are reported. */
const MAX_DEBUG = 256;

/** One per connection. */
export class Inbound implements FrameSink {
  readonly #core: ConnectionCore;
  readonly #data: InboundData;
  readonly #heads: InboundHeads;
  /** The frame size that the peer has acknowledged changes what the reader accepts. */
  readonly #acceptFrames: (maxFrameSize: number) => void;

  constructor(core: ConnectionCore, acceptFrames: (maxFrameSize: number) => void) {
    this.#core = core;
    this.#data = new InboundData(core);
    this.#heads = new InboundHeads(core);
    this.#acceptFrames = acceptFrames;
  }

  /** As InboundHeads.incomplete. */
  get incompleteHead(): number {
    return this.#heads.incomplete;
  }

  onFrame(type: number, flags: number, id: number, buffer: Buffer, start: number, end: number): void {
    if (type !== CONTINUATION && !this.#inOrder(type === SETTINGS && (flags & FLAG_ACK) === 0)) return;
    switch (type) {
      case HEADERS:
        this.#heads.headers(flags, id, buffer, start, end);
        break;
      case CONTINUATION:
        this.#heads.continuation(flags, id, buffer, start, end);
        break;
      case WINDOW_UPDATE:
        this.#onWindowUpdate(id, buffer.readUInt32BE(start) & 0x7fff_ffff);
        break;
      case RST_STREAM:
        this.#onReset(id, buffer.readUInt32BE(start));
        break;
      case SETTINGS:
        this.#onSettings(flags, id, buffer, start, end);
        break;
      case PING:
        this.#onPing(flags, id, buffer, start);
        break;
      case GOAWAY:
        this.#onGoaway(id, buffer, start, end);
        break;
      case PRIORITY:
        this.#onPriority(id, buffer, start, end);
        break;
      case PUSH_PROMISE:
        this.#core.fail(ErrorCode.PROTOCOL_ERROR, 'PUSH_PROMISE, but push is off');
        break;
    }
  }

  onDataStart(flags: number, id: number, length: number): void {
    if (!this.#inOrder(false)) return;
    if (id === 0) this.#core.fail(ErrorCode.PROTOCOL_ERROR, 'DATA on stream 0');
    else this.#data.start(flags, id, length);
  }

  onDataPiece(buffer: Buffer, start: number, end: number): void {
    this.#data.piece(buffer, start, end);
  }

  onDataPadding(bytes: number): void {
    this.#data.padding(bytes);
  }

  onDataEnd(): void {
    this.#data.end();
  }

  onUnknownFrame(): void {
    if (this.#inOrder(false)) this.#core.countControl();
  }

  onFrameError(code: number, message: string): void {
    this.#core.fail(code, message, this.#core.settingsReceived ? 'H2Error' : 'InvalidH2');
  }

  /** The first frame must be SETTINGS, and a header block must not be interrupted. */
  #inOrder(isSettings: boolean): boolean {
    if (!this.#core.settingsReceived && !isSettings) {
      this.#core.fail(ErrorCode.PROTOCOL_ERROR, 'the first frame is not SETTINGS', 'InvalidH2');
    } else if (this.#heads.incomplete > 0) {
      this.#core.fail(ErrorCode.PROTOCOL_ERROR, 'a header block is interrupted by another frame');
    }
    return !this.#core.dead;
  }

  #onSettings(flags: number, id: number, buffer: Buffer, start: number, end: number): void {
    if (id !== 0) this.#core.fail(ErrorCode.PROTOCOL_ERROR, `SETTINGS on stream ${id}`);
    else if ((flags & FLAG_ACK) !== 0) this.#onSettingsAck();
    else this.#applySettings(buffer, start, end);
  }

  #applySettings(buffer: Buffer, start: number, end: number): void {
    const core = this.#core;
    const settings = readSettings(core.remote, buffer, start, end, !core.server);
    if ('code' in settings) {
      core.fail(settings.code, settings.message);
      return;
    }
    const widened = settings.initialWindowSize - core.remote.initialWindowSize;
    core.remote = settings;
    core.settingsReceived = true;
    core.sender.encoder.setMaxTableSize(settings.headerTableSize);
    if (widened !== 0) {
      for (const stream of core.streams.values()) {
        if (core.sender.widenStream(stream, widened)) continue;
        core.fail(ErrorCode.FLOW_CONTROL_ERROR, 'the new initial window makes the window of a stream too large');
        return;
      }
    }
    core.writer.settingsAck();
    core.countControl();
    if (!core.dead) core.handler.onRemoteSettings(settings);
  }

  #onSettingsAck(): void {
    const { local, streams } = this.#core;
    const before = local.acknowledged;
    if (!local.acknowledge()) {
      this.#core.countControl();
      return;
    }
    const { headerTableSize, initialWindowSize, maxFrameSize } = local.acknowledged;
    if (headerTableSize !== before.headerTableSize) this.#heads.setMaxTableSize(headerTableSize);
    if (maxFrameSize !== before.maxFrameSize) this.#acceptFrames(maxFrameSize);
    if (initialWindowSize === before.initialWindowSize) return;
    for (const stream of streams.values()) stream.receive.resize(initialWindowSize);
  }

  #onWindowUpdate(id: number, bytes: number): void {
    const core = this.#core;
    const stream = core.streams.get(id);
    if (id === 0) {
      if (bytes === 0) core.fail(ErrorCode.PROTOCOL_ERROR, 'WINDOW_UPDATE by 0');
      else if (!core.sender.widen(bytes)) {
        core.fail(ErrorCode.FLOW_CONTROL_ERROR, 'the window of the connection becomes too large');
      }
    } else if (stream === undefined) {
      if (core.absence(id) === 'idle')
        core.fail(ErrorCode.PROTOCOL_ERROR, `WINDOW_UPDATE on stream ${id}, which is idle`);
    } else if (bytes === 0) {
      core.streamError(stream, ErrorCode.PROTOCOL_ERROR, 'WINDOW_UPDATE by 0');
    } else if (!core.sender.widenStream(stream, bytes)) {
      core.streamError(stream, ErrorCode.FLOW_CONTROL_ERROR, 'the window of the stream becomes too large');
    }
    core.countControl();
  }

  #onReset(id: number, code: number): void {
    const core = this.#core;
    const stream = core.streams.get(id);
    if (stream !== undefined) {
      core.receiver.reset(stream, code);
      core.countReset();
    } else if (core.absence(id) === 'idle') {
      core.fail(ErrorCode.PROTOCOL_ERROR, `RST_STREAM on stream ${id}, which is idle`);
    } else {
      core.countControl();
    }
  }

  #onPing(flags: number, id: number, buffer: Buffer, start: number): void {
    const core = this.#core;
    if (id !== 0) {
      core.fail(ErrorCode.PROTOCOL_ERROR, `PING on stream ${id}`);
      return;
    }
    const isAck = (flags & FLAG_ACK) !== 0;
    if (!isAck) core.writer.pingAck(buffer, start);
    core.countControl();
    if (isAck && !core.dead) core.handler.onPingAck(buffer.readBigUInt64BE(start));
  }

  #onPriority(id: number, buffer: Buffer, start: number, end: number): void {
    const core = this.#core;
    const stream = core.streams.get(id);
    if (id === 0) core.fail(ErrorCode.PROTOCOL_ERROR, 'PRIORITY on stream 0');
    else if (end - start !== 5)
      this.#refusePriority(id, ErrorCode.FRAME_SIZE_ERROR, 'a PRIORITY frame of a wrong size');
    else if ((buffer.readUInt32BE(start) & 0x7fff_ffff) === id) {
      this.#refusePriority(id, ErrorCode.PROTOCOL_ERROR, 'a stream that depends on itself');
    }
    if (stream === undefined || !stream.closed) core.countControl();
  }

  /** An error of the stream, when there is one to reset. */
  #refusePriority(id: number, code: number, problem: string): void {
    const stream = this.#core.streams.get(id);
    if (stream === undefined) this.#core.fail(code, problem);
    else this.#core.streamError(stream, code, problem);
  }

  #onGoaway(id: number, buffer: Buffer, start: number, end: number): void {
    const core = this.#core;
    if (id !== 0) {
      core.fail(ErrorCode.PROTOCOL_ERROR, `GOAWAY on stream ${id}`);
      return;
    }
    core.goawayReceived = true;
    const last = buffer.readUInt32BE(start) & 0x7fff_ffff;
    const debug = latin1(buffer, start + 8, Math.min(end, start + 8 + MAX_DEBUG));
    core.countControl();
    if (!core.dead) core.handler.onGoaway(last, buffer.readUInt32BE(start + 4), debug);
    if (core.server) return;
    for (const stream of [...core.streams.values()]) {
      if (stream.id > last) core.endStream(stream, ErrorCode.REFUSED_STREAM, false);
    }
  }
}
