/**
 * Hands what the engine reports to the session of the stream, or to the connection.
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
  /** The buffer that is being read, when it is leased. */
  #leased: Buffer | undefined = undefined;
  #lease: Lease | undefined = undefined;

  constructor(owner: RouterOwner) {
    this.#owner = owner;
  }

  /** From now on bytes of this buffer may be kept by its lease; undefined: of none. */
  reading(buffer: Buffer | undefined, lease: Lease | undefined): void {
    this.#leased = buffer;
    this.#lease = lease;
  }

  onResponse(stream: Http2Stream, header: ResponseHeader, endStream: boolean): void {
    this.#owner.answered = true;
    sessionOf(stream)?.onResponse(header, endStream);
  }

  onData(stream: Http2Stream, buffer: Buffer, start: number, end: number): void {
    sessionOf(stream)?.onData(buffer, start, end, buffer === this.#leased ? this.#lease : undefined);
  }

  onEnd(stream: Http2Stream, trailers: HeaderMap | undefined): void {
    sessionOf(stream)?.onEnd(trailers);
  }

  onWritable(stream: Http2Stream): void {
    sessionOf(stream)?.onWritable();
  }

  onReset(stream: Http2Stream, code: number, byUs: boolean): void {
    const session = sessionOf(stream);
    if (session !== undefined) this.#owner.streamReset(session, code, byUs, stream.resetReason);
  }

  onStreamClosed(stream: Http2Stream): void {
    stream.owner = undefined;
  }

  onRemoteSettings(): void {
    this.#owner.onRemoteSettings();
  }

  onGoaway(lastStreamId: number, code: number): void {
    this.#owner.onGoaway(lastStreamId, code);
  }

  onPingAck(payload: bigint): void {
    this.#owner.onPingAck(payload);
  }

  onConnectionError(error: CirqueError): void {
    this.#owner.onConnectionError(error);
  }
}

function sessionOf(stream: Http2Stream): Http2ClientSession | undefined {
  return stream.owner as Http2ClientSession | undefined;
}
