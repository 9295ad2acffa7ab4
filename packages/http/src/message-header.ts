/**
 * What request and response heads have in common: a version, and fields with Pingora's words for editing them.
 */
import type { HeaderMap } from './header-map.ts';

/** Versions that a message can have come in, or go out, as. */
export type HttpVersion = '1.0' | '1.1' | '2';

/** A message head; see RequestHeader and ResponseHeader. */
export abstract class MessageHeader {
  /** The version it was received in; a session sends its own. */
  readonly version: HttpVersion;
  readonly headers: HeaderMap;

  constructor(headers: HeaderMap, version: HttpVersion) {
    this.version = version;
    this.headers = headers;
  }

  /** First value of a field. */
  getHeader(name: string): string | undefined {
    return this.headers.get(name);
  }

  /** Replaces all fields of that name (Pingora's insert_header). @throws CirqueError InvalidHTTPHeader */
  insertHeader(name: string, value: string): void {
    this.headers.set(name, value);
  }

  /** Adds one field more (Pingora's append_header). @throws CirqueError InvalidHTTPHeader */
  appendHeader(name: string, value: string): void {
    this.headers.append(name, value);
  }

  /** Removes all fields of that name; true when there was one. */
  removeHeader(name: string): boolean {
    return this.headers.delete(name);
  }
}
