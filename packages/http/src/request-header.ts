/**
 * The head of a request: method, target, version and fields. A value without I/O; sessions send it.
 */
import { CirqueError } from '@cirque/error';
import { HeaderMap } from './header-map.ts';
import { type HttpVersion, MessageHeader } from './message-header.ts';
import { isToken, TARGET_BYTES } from './validate.ts';

/** A request head. */
export class RequestHeader extends MessageHeader {
  #method: string;
  #target: string;

  /** @throws CirqueError InvalidHTTPHeader when method or target cannot be sent. */
  constructor(
    method: string,
    target: string,
    headers: HeaderMap = HeaderMap.empty(),
    version: HttpVersion = '1.1',
    /** @internal Parsers have checked the parts already. */
    checked = false,
  ) {
    super(headers, version);
    this.#method = checked ? method : checkMethod(method);
    this.#target = checked ? target : checkTarget(target);
  }

  get method(): string {
    return this.#method;
  }

  /** @throws CirqueError InvalidHTTPHeader when it is not a token. */
  set method(method: string) {
    this.#method = checkMethod(method);
  }

  /** The request target as it is on the wire (RFC 9112 section 3.2), for example `/path?query`. */
  get target(): string {
    return this.#target;
  }

  /** @throws CirqueError InvalidHTTPHeader when it holds a space, a control or a non-ASCII character, or `#`. */
  set target(target: string) {
    this.#target = checkTarget(target);
  }

  /** The target without the query. */
  get path(): string {
    const query = this.#target.indexOf('?');
    return query < 0 ? this.#target : this.#target.slice(0, query);
  }

  /** The query after `?`; undefined when there is none. */
  get query(): string | undefined {
    const query = this.#target.indexOf('?');
    return query < 0 ? undefined : this.#target.slice(query + 1);
  }

  /** An independent copy. */
  clone(): RequestHeader {
    return new RequestHeader(this.#method, this.#target, this.headers.clone(), this.version, true);
  }
}

function checkMethod(method: string): string {
  if (isToken(method)) return method;
  throw new CirqueError('InvalidHTTPHeader', `method ${JSON.stringify(method)} is not a token (RFC 9110 section 9.1)`);
}

function checkTarget(target: string): string {
  let valid = typeof target === 'string' && target.length > 0;
  for (let at = 0; valid && at < target.length; at++) valid = TARGET_BYTES[target.charCodeAt(at)] === 1;
  if (valid) return target;
  throw new CirqueError(
    'InvalidHTTPHeader',
    `request target ${JSON.stringify(String(target).slice(0, 256))} is empty or holds a space, control, non-ASCII character or '#'; percent-encode it`,
  );
}
