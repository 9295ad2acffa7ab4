/**
 * Prints requests and responses of a test as HTTP/1 bytes: heads from plain data, bodies in pieces with their framing.
 */
import { HeaderMap } from '@cirque/http';

/** Header fields as a test writes them: an object, pairs in order, or a map. */
export type TestFields =
  | HeaderMap
  | Iterable<readonly [string, string]>
  | Readonly<Record<string, string | readonly string[]>>;

/** A body: at once, or in pieces that arrive one by one. */
export type TestBody = string | Uint8Array | readonly (string | Uint8Array)[];

/** How a body is delimited: by Content-Length, by chunks, or by the end of the connection. */
export type TestFraming = 'length' | 'chunked' | 'close';

export function fieldsOf(fields: TestFields | undefined): HeaderMap {
  if (fields === undefined) return HeaderMap.empty();
  return fields instanceof HeaderMap ? fields.clone() : HeaderMap.from(fields);
}

/** The pieces of a body; empty ones are left out, because an empty chunk would end it. */
export function piecesOf(body: TestBody | undefined): Buffer[] {
  if (body === undefined) return [];
  const pieces = Array.isArray(body) ? body : [body as string | Uint8Array];
  return pieces.map((piece: string | Uint8Array) => Buffer.from(piece as string)).filter(({ length }) => length > 0);
}

export function bytesIn(pieces: readonly Buffer[]): number {
  return pieces.reduce((sum, { length }) => sum + length, 0);
}

export function chunkOf(piece: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n')]);
}

/** The end of a chunked body. */
export function lastChunk(trailers: TestFields | undefined): Buffer {
  return Buffer.from(`0\r\n${fieldsOf(trailers).serialize()}\r\n`, 'latin1');
}

/** A head; text is Latin-1, one character per byte. */
export function headBytes(firstLine: string, headers: HeaderMap): Buffer {
  return Buffer.from(`${firstLine}\r\n${headers.serialize()}\r\n`, 'latin1');
}

/** Resolves when the other end has taken the bytes, or will never take them. */
export function written(stream: NodeJS.WritableStream, bytes: Buffer): Promise<void> {
  return new Promise((resolve) => {
    stream.write(bytes, () => resolve());
  });
}
