/**
 * The socket of an upgrade that was accepted: raw bytes both ways, each direction with an end of its own.
 */
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { CirqueError } from '@cirque/error';
import { Stream, type StreamHandler } from '@cirque/transport';

/** What the owner of the socket is told. */
export interface UpgradedSocketOwner {
  /** The chunk is the owner's. */
  onData(chunk: Buffer): void;
  onEnd(): void;
  onDrain(): void;
  onError(error: CirqueError): void;
}

/** See the file's head. Nothing is read before {@link resume}. */
export class UpgradedSocket implements StreamHandler {
  bytesWritten = 0;
  readonly #stream: Stream;
  readonly #owner: UpgradedSocketOwner;
  #started = false;
  #ended = false;

  constructor(socket: Duplex, owner: UpgradedSocketOwner) {
    this.#owner = owner;
    // The upstream's end must not be ours.
    (socket as Socket).allowHalfOpen = true;
    this.#stream = new Stream(socket, 'Upstream');
  }

  write(buffer: Buffer, start: number, end: number): boolean {
    this.bytesWritten += end - start;
    return start === end || this.#stream.writeSlice(buffer, start, end, undefined);
  }

  end(): void {
    this.#stream.end();
  }

  pause(): void {
    if (this.#started) this.#stream.pause();
  }

  resume(): void {
    if (this.#started) {
      this.#stream.resume();
      return;
    }
    this.#started = true;
    this.#stream.start(this);
  }

  /** Closes it behind what was written. */
  close(): void {
    if (this.#stream.writePending) this.#stream.duplex.end(() => this.#stream.destroy());
    else this.#stream.destroy();
  }

  destroy(): void {
    this.#stream.destroy();
  }

  onRead(buffer: Buffer, length: number): void {
    this.#owner.onData(buffer.subarray(0, length));
  }

  onReadEnd(): void {
    this.#ended = true;
    this.#owner.onEnd();
  }

  onDrain(): void {
    this.#owner.onDrain();
  }

  onClose(error: CirqueError | undefined): void {
    // Both directions have ended: that is how tunnels end.
    if (error === undefined && this.#ended) return;
    this.#owner.onError(error ?? CirqueError.upstream('ConnectionClosed', 'the upstream connection was closed'));
  }
}
