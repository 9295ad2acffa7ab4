/**
 * A gRPC body as base64 text, in pieces that are cut anywhere.
 *
 * The text is padded behind each message that is complete, so the client gets all of it at once; inside of a message up
 * to two bytes wait for the next piece.
 */
import { MessageCursor } from './message-cursor.ts';

const NOTHING: Buffer = Buffer.alloc(0);

/** See the file's head. One per response body. */
export class GrpcTextEncoder {
  readonly #cursor = new MessageCursor();
  /** Bytes of an incomplete group of three. */
  #rest: Buffer = NOTHING;

  push(piece: Buffer): Buffer {
    const boundary = this.#cursor.advance(piece);
    const messages = boundary === 0 ? '' : this.#encode(piece.subarray(0, boundary), true);
    return Buffer.from(messages + this.#encode(piece.subarray(boundary), false), 'latin1');
  }

  /** What is left when the body ends inside of a message. */
  finish(): Buffer {
    return Buffer.from(this.#encode(NOTHING, true), 'latin1');
  }

  #encode(piece: Buffer, padded: boolean): string {
    const bytes = this.#rest.length === 0 ? piece : Buffer.concat([this.#rest, piece]);
    const complete = padded ? bytes.length : bytes.length - (bytes.length % 3);
    this.#rest = bytes.subarray(complete);
    return bytes.toString('base64', 0, complete);
  }
}
