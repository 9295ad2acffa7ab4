/**
 * Hands what the engine reports to the session of the stream, or to the connection.
 *
 * DATA frames that follow each other in one read become one piece: many upstreams send small frames, and every piece costs a
 * write to the client. Nothing else is reported between their bytes and the piece.
 */
import type { CirqueError } from '@cirque/error';
import type { HeaderMap, ResponseHeader } from '@cirque/http';
import type { Http2Handler, Http2Stream } from '@cirque/http2';
import type { Lease } from '@cirque/transport';
import type { Http2ClientSession } from './http2-client-session.ts';

/** What concerns the connection. */
export interface RouterOwner {
  /** A final or informational head has come. */
  answered: boolean;
  /** The stream of a session is gone: reset by the upstream, or by the engine for the given reason. */
  streamReset(session: Http2ClientSession, code: number, byUs: boolean, reason: string | undefined): void;
  onRemoteSettings(): void;
  onGoaway(lastStreamId: number, code: number): void;
  onPingAck(payload: bigint): void;
  onConnectionError(error: CirqueError): void;
}

/** See the file's head. */
export class Http2StreamRouter implements Http2Handler {
  readonly #owner: RouterOwner;
  /** The buffer that is being read, when it may be written to. */
  #buffer: Buffer | undefined = undefined;
  #lease: Lease | undefined = undefined;
  /** Some of the buffer was given away under the lease: it may still be in use. */
  #lent = false;
  /** Whose piece `#buffer[#start, #end)` is; undefined when there is none. */
  #receiver: Http2ClientSession | undefined = undefined;
  #start = 0;
  #end = 0;

  constructor(owner: RouterOwner) {
    this.#owner = owner;
  }

  /** Bytes of this buffer come now. It is ours: what was read of it may be overwritten. */
  beginRead(buffer: Buffer, lease: Lease | undefined): void {
    this.#buffer = buffer;
    this.#lease = lease;
    this.#lent = false;
  }

  endRead(): void {
    this.#deliver();
    this.#buffer = undefined;
    this.#lease = undefined;
  }

  onResponse(stream: Http2Stream, header: ResponseHeader, endStream: boolean): void {
    this.#deliver();
    this.#owner.answered = true;
    sessionOf(stream)?.onResponse(header, endStream);
  }

  onData(stream: Http2Stream, buffer: Buffer, start: number, end: number): void {
    const session = sessionOf(stream);
    if (session !== this.#receiver) this.#deliver();
    if (buffer !== this.#buffer) {
      this.#deliver();
      session?.onData(buffer, start, end, undefined);
    } else if (this.#receiver === undefined) {
      this.#receiver = session;
      this.#start = start;
      this.#end = end;
    } else {
      // Only the head of a frame, and frames that nobody hears of, lie between.
      this.#buffer.copyWithin(this.#end, start, end);
      this.#end += end - start;
    }
  }

  onEnd(stream: Http2Stream, trailers: HeaderMap | undefined): void {
    this.#deliver();
    sessionOf(stream)?.onEnd(trailers);
  }

  onWritable(stream: Http2Stream): void {
    this.#deliver();
    sessionOf(stream)?.onWritable();
  }

  onReset(stream: Http2Stream, code: number, byUs: boolean): void {
    this.#deliver();
    const session = sessionOf(stream);
    if (session !== undefined) this.#owner.streamReset(session, code, byUs, stream.resetReason);
  }

  onStreamClosed(stream: Http2Stream): void {
    stream.owner = undefined;
  }

  onRemoteSettings(): void {
    this.#deliver();
    this.#owner.onRemoteSettings();
  }

  onGoaway(lastStreamId: number, code: number): void {
    this.#deliver();
    this.#owner.onGoaway(lastStreamId, code);
  }

  onPingAck(payload: bigint): void {
    this.#deliver();
    this.#owner.onPingAck(payload);
  }

  onConnectionError(error: CirqueError): void {
    this.#deliver();
    this.#owner.onConnectionError(error);
  }

  #deliver(): void {
    const session = this.#receiver;
    if (session === undefined) return;
    this.#receiver = undefined;
    // A head may be written before the first piece of its body, where bytes of another response may wait to be sent.
    const lease = this.#lent && session.bodyBytesReceived === 0 ? undefined : this.#lease;
    this.#lent ||= lease !== undefined;
    session.onData(this.#buffer as Buffer, this.#start, this.#end, lease);
  }
}

function sessionOf(stream: Http2Stream): Http2ClientSession | undefined {
  return stream.owner as Http2ClientSession | undefined;
}
