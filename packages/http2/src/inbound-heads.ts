/**
 * HEADERS and CONTINUATION: puts header blocks together, decodes each, and makes a request, a response or trailers of it.
 *
 * Every block is decoded, also that of a stream which is not wanted: the HPACK tables of both sides must stay the same.
 */
import { CirqueError } from '@cirque/error';
import { HeaderMap, ResponseHeader } from '@cirque/http';
import type { ConnectionCore } from './connection-core.ts';
import { ErrorCode } from './error-code.ts';
import { FieldCollector } from './field-collector.ts';
import { FLAG_END_HEADERS, FLAG_END_STREAM, FLAG_PADDED, FLAG_PRIORITY } from './frame.ts';
import { HeaderBlock } from './header-block.ts';
import { HpackDecoder } from './hpack/decoder.ts';
import { HpackError } from './hpack/hpack-error.ts';
import { requestHead } from './request-head.ts';
import { responseHead, trailers } from './response-head.ts';
import { EngineStream } from './stream.ts';

const fields = new FieldCollector();

/** One per connection. */
export class InboundHeads {
  readonly #core: ConnectionCore;
  #decoder: HpackDecoder | undefined;
  /** The block that goes on in the next frame. */
  #block: HeaderBlock | undefined;
  /** Blocks of several frames so far. */
  #blocks = 0;

  constructor(core: ConnectionCore) {
    this.#core = core;
  }

  /** The number of the block that is not complete: nothing but CONTINUATION may come now. 0 when there is none. */
  get incomplete(): number {
    return this.#block === undefined ? 0 : this.#blocks;
  }

  /** The peer follows our SETTINGS_HEADER_TABLE_SIZE. */
  setMaxTableSize(bytes: number): void {
    this.#decoderOf().setMaxTableSize(bytes);
  }

  headers(flags: number, id: number, buffer: Buffer, start: number, end: number): void {
    let from = start;
    let to = end;
    if ((flags & FLAG_PADDED) !== 0) to -= buffer[from++] as number;
    const hasPriority = (flags & FLAG_PRIORITY) !== 0;
    const selfDependent = hasPriority && (buffer.readUInt32BE(from) & 0x7fff_ffff) === id;
    if (hasPriority) from += 5;
    if (id === 0) this.#core.fail(ErrorCode.PROTOCOL_ERROR, 'HEADERS on stream 0');
    else if (to < from)
      this.#core.fail(ErrorCode.PROTOCOL_ERROR, 'the padding of a HEADERS frame is longer than the frame');
    else if ((flags & FLAG_END_HEADERS) !== 0) {
      this.#complete(id, (flags & FLAG_END_STREAM) !== 0, selfDependent, buffer, from, to);
    } else {
      this.#blocks += 1;
      this.#block = new HeaderBlock(id, (flags & FLAG_END_STREAM) !== 0, selfDependent);
      this.#block.append(buffer, from, to);
    }
  }

  continuation(flags: number, id: number, buffer: Buffer, start: number, end: number): void {
    const block = this.#block;
    const { limits } = this.#core;
    if (block === undefined || block.streamId !== id) {
      this.#core.fail(ErrorCode.PROTOCOL_ERROR, `CONTINUATION on stream ${id}, where no header block is open`);
      return;
    }
    block.continuations += 1;
    if (block.continuations > limits.maxContinuationFrames || block.length + end - start > limits.maxHeaderListBytes) {
      this.#core.fail(ErrorCode.ENHANCE_YOUR_CALM, 'a header block of too many frames or bytes');
      return;
    }
    block.append(buffer, start, end);
    if ((flags & FLAG_END_HEADERS) === 0) return;
    this.#block = undefined;
    this.#complete(id, block.endStream, block.selfDependent, block.bytes, 0, block.length);
  }

  #complete(id: number, endStream: boolean, selfDependent: boolean, buffer: Buffer, start: number, end: number): void {
    fields.begin(this.#core.limits);
    try {
      this.#decoderOf().decode(buffer, start, end, fields);
    } catch (error) {
      if (!(error instanceof HpackError)) throw error;
      this.#core.fail(ErrorCode.COMPRESSION_ERROR, error.message);
      return;
    }
    if (selfDependent) fields.problem ??= 'the stream depends on itself';
    const stream = this.#core.streams.get(id);
    if (stream === undefined) this.#withoutStream(id, endStream);
    else if (stream.remoteClosed) {
      this.#core.streamError(stream, ErrorCode.STREAM_CLOSED, 'HEADERS after the end of the stream');
    } else if (this.#core.server || stream.headReceived) this.#trailers(stream, endStream);
    else this.#response(stream, endStream);
  }

  #withoutStream(id: number, endStream: boolean): void {
    const absence = this.#core.absence(id);
    if (absence === 'idle') {
      if (this.#core.server && (id & 1) === 1) this.#request(id, endStream);
      else this.#core.fail(ErrorCode.PROTOCOL_ERROR, `HEADERS on stream ${id}, which is idle`);
    } else if (absence === 'reset by us') {
      this.#core.countControl();
    } else {
      const known = this.#core.streams.wasUsed(id);
      const code = known ? ErrorCode.STREAM_CLOSED : ErrorCode.PROTOCOL_ERROR;
      this.#core.fail(code, `HEADERS on stream ${id}, which is closed`);
    }
  }

  #request(id: number, endStream: boolean): void {
    const core = this.#core;
    const { streams } = core;
    streams.highest = id;
    if (id > core.lastAllowed) {
      this.#expectBody(endStream);
      core.countControl();
      return;
    }
    if (streams.size + streams.retained >= core.local.announced.maxConcurrentStreams) {
      this.#refuseStream(id, endStream);
      return;
    }
    if (fields.tooLarge) {
      this.#refuseHead(id, endStream, 431, 'a request head with too many fields or bytes');
      return;
    }
    const header = requestHead(fields, endStream, core.local.announced.enableConnectProtocol);
    if (header === undefined) {
      this.#refuseHead(id, endStream, 400, fields.problem as string);
      return;
    }
    core.guard.work(0);
    const stream = new EngineStream(core, id, fields.scheme, fields.protocol);
    stream.bodyBytesLeft = header.method === 'CONNECT' ? -1 : fields.contentLength;
    streams.add(stream);
    core.lastProcessed = id;
    core.receiver.request(stream, header, endStream);
  }

  /** The body of a request that does not become a stream is on its way. */
  #expectBody(endStream: boolean): void {
    if (!endStream) this.#core.expectLate(this.#core.local.acknowledged.initialWindowSize);
  }

  /** More streams than were announced. A client that does not know our settings yet does nothing wrong. */
  #refuseStream(id: number, endStream: boolean): void {
    this.#expectBody(endStream);
    this.#core.writer.reset(id, ErrorCode.REFUSED_STREAM);
    this.#core.streams.remove(id, true);
    if (this.#core.local.allAcknowledged) this.#core.countReset();
    else this.#core.countControl();
  }

  /** A malformed request is reset, one that is too large is told so while the client reads. */
  #refuseHead(id: number, endStream: boolean, status: 400 | 431, problem: string): void {
    const core = this.#core;
    this.#expectBody(endStream);
    const answered = status === 431 && !core.writer.blocked;
    if (answered) {
      const head = new ResponseHeader(431, HeaderMap.from({ 'content-length': '0' }), '2');
      core.sender.encoder.response(id, head, true);
    }
    if (!answered || !endStream) core.writer.reset(id, answered ? ErrorCode.NO_ERROR : ErrorCode.PROTOCOL_ERROR);
    core.streams.remove(id, !answered || !endStream);
    core.countReset();
    if (core.dead) return;
    core.handler.onRequestRefused?.(new CirqueError('InvalidHTTPHeader', problem, { source: 'Downstream', status }));
  }

  #response(stream: EngineStream, endStream: boolean): void {
    const core = this.#core;
    if (fields.tooLarge) {
      core.streamError(stream, ErrorCode.ENHANCE_YOUR_CALM, 'a response head with too many fields or bytes');
      return;
    }
    const header = responseHead(fields, endStream);
    if (header === undefined) {
      core.streamError(stream, ErrorCode.PROTOCOL_ERROR, fields.problem as string);
      return;
    }
    if (header.status < 200) {
      core.countControl();
    } else {
      stream.headReceived = true;
      stream.bodyBytesLeft = bodyBytes(stream.method, header.status);
      if (endStream && stream.bodyBytesLeft > 0) {
        core.streamError(stream, ErrorCode.PROTOCOL_ERROR, 'no body, but a Content-Length');
        return;
      }
      core.guard.work(0);
    }
    if (!core.dead) core.receiver.response(stream, header, endStream);
  }

  #trailers(stream: EngineStream, endStream: boolean): void {
    const map = trailers(fields);
    let problem = fields.problem;
    if (!endStream) problem ??= 'a second head that does not end the stream';
    if (stream.bodyBytesLeft > 0) problem ??= 'a body shorter than its Content-Length';
    if (fields.tooLarge) {
      this.#core.streamError(stream, ErrorCode.ENHANCE_YOUR_CALM, 'trailers with too many fields or bytes');
    } else if (problem !== undefined) {
      this.#core.streamError(stream, ErrorCode.PROTOCOL_ERROR, problem);
    } else {
      this.#core.receiver.end(stream, map);
    }
  }

  #decoderOf(): HpackDecoder {
    this.#decoder ??= new HpackDecoder();
    return this.#decoder;
  }
}

/** Bytes that the body of a response must have; -1: any number (RFC 9110 section 6.4.1). */
function bodyBytes(method: string, status: number): number {
  if (method === 'CONNECT' && status < 300) return -1;
  if (method === 'HEAD' || status === 204 || status === 304) return 0;
  return fields.contentLength;
}
