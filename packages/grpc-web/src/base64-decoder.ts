/**
 * Base64 text to bytes, in pieces that are cut anywhere. Strict: what is not base64 is a 400.
 *
 * Clients pad wherever they like, so padding ends a segment and not the text (PROTOCOL-WEB, "application/grpc-web-text").
 */
import { CirqueError } from '@cirque/error';

const SEGMENT = /^[A-Za-z0-9+/]*={0,2}$/;

/** See the file's head. One per request body. */
export class Base64Decoder {
  /** Characters of a group of four that is not complete. */
  #rest = '';

  /** What the text says so far. @throws CirqueError 400 when it is not base64 */
  push(piece: Buffer): Buffer {
    const text = this.#rest + piece.toString('latin1');
    const complete = text.length - (text.length % 4);
    this.#rest = text.slice(complete);
    const bytes: Buffer[] = [];
    for (let start = 0; start < complete; ) {
      const padding = text.indexOf('=', start);
      const end = padding < 0 || padding >= complete ? complete : padding - (padding % 4) + 4;
      const segment = text.slice(start, end);
      if (!SEGMENT.test(segment)) throw notBase64('holds other characters or misplaced padding');
      bytes.push(Buffer.from(segment, 'base64'));
      start = end;
    }
    return bytes.length === 1 ? (bytes[0] as Buffer) : Buffer.concat(bytes);
  }

  /** The text is over. @throws CirqueError 400 when it ends inside of a group */
  finish(): void {
    if (this.#rest !== '') throw notBase64(`ends with ${this.#rest.length} of four characters`);
  }
}

function notBase64(why: string): CirqueError {
  return CirqueError.http(400, `the body of a grpc-web-text request is not base64: it ${why}`, {
    source: 'Downstream',
  });
}
