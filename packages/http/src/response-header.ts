/**
 * The head of a response: status, reason and fields. A value without I/O; sessions send it.
 */
import { STATUS_CODES } from 'node:http';
import { CirqueError } from '@cirque/error';
import { HeaderMap } from './header-map.ts';
import { type HttpVersion, MessageHeader } from './message-header.ts';
import { isFieldValue } from './validate.ts';

/** A response head. */
export class ResponseHeader extends MessageHeader {
  #status: number;
  #reason: string | undefined;

  /** @throws CirqueError InvalidHTTPHeader when the status is not an integer from 100 to 599. */
  constructor(status: number, headers: HeaderMap = HeaderMap.empty(), version: HttpVersion = '1.1') {
    super(headers, version);
    this.#status = checkStatus(status);
    this.#reason = undefined;
  }

  /** @internal For parsers: parts that were validated already. */
  static parsed(status: number, reason: string | undefined, headers: HeaderMap, version: HttpVersion): ResponseHeader {
    const header = new ResponseHeader(status, headers, version);
    header.#reason = reason;
    return header;
  }

  get status(): number {
    return this.#status;
  }

  /** Setting it drops a custom reason. @throws CirqueError InvalidHTTPHeader unless 100 to 599. */
  set status(status: number) {
    this.#status = checkStatus(status);
    this.#reason = undefined;
  }

  /** The reason phrase: the received one, else the registered one, else empty. */
  get reason(): string {
    return this.#reason ?? STATUS_CODES[this.#status] ?? '';
  }

  /** @throws CirqueError InvalidHTTPHeader when it holds a control character. */
  set reason(reason: string) {
    if (!isFieldValue(reason))
      throw new CirqueError('InvalidHTTPHeader', `reason ${JSON.stringify(reason)} cannot be sent`);
    this.#reason = reason;
  }

  /** True for 1xx other than 101: more heads follow (RFC 9110 section 15.2). */
  get informational(): boolean {
    return this.#status < 200 && this.#status !== 101;
  }

  /** An independent copy. */
  clone(): ResponseHeader {
    return ResponseHeader.parsed(this.#status, this.#reason, this.headers.clone(), this.version);
  }
}

function checkStatus(status: number): number {
  if (Number.isInteger(status) && status >= 100 && status <= 599) return status;
  throw new CirqueError('InvalidHTTPHeader', `status ${String(status)} is not an integer from 100 to 599`);
}
