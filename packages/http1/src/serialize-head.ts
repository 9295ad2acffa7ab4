/**
 * Prints heads as HTTP/1.1 text. Framing and persistence lines are given by the caller, which owns them.
 *
 * The text is latin1 by construction: header maps and setters refuse everything else.
 */
import type { HeaderMap, RequestHeader, ResponseHeader } from '@cirque/http';

/** Line that ends a chunked body without trailers. */
export const LAST_CHUNK = '0\r\n\r\n';
export const CHUNKED_LINE = 'Transfer-Encoding: chunked\r\n';
export const CLOSE_LINE = 'Connection: close\r\n';
export const KEEP_ALIVE_LINE = 'Connection: keep-alive\r\n';

/** A request head. `lines` are further field lines, each ended by CRLF. */
export function serializeRequestHead(header: RequestHeader, lines: string): string {
  return `${header.method} ${header.target} HTTP/1.1\r\n${header.headers.serialize()}${lines}\r\n`;
}

/** A response head. `lines` are further field lines, each ended by CRLF. */
export function serializeResponseHead(header: ResponseHeader, lines: string): string {
  if (header.status === 200 && header.reason === 'OK')
    return `HTTP/1.1 200 OK\r\n${header.headers.serialize()}${lines}\r\n`;
  return `HTTP/1.1 ${header.status} ${header.reason}\r\n${header.headers.serialize()}${lines}\r\n`;
}

/** The end of a chunked body with trailers. */
export function lastChunk(trailers: HeaderMap): string {
  return `0\r\n${trailers.serialize()}\r\n`;
}

/** The line before the data of a chunk. */
export function chunkSizeLine(bytes: number): string {
  return `${bytes.toString(16)}\r\n`;
}
