/**
 * Decides how long a message body is. No other file may answer that question.
 *
 * Follows RFC 9112 section 6.3 in order and refuses whatever is ambiguous: a wrong guess here is request smuggling.
 * Knows nothing about sockets.
 */
import { CirqueError } from '@cirque/error';
import { BAD_LENGTH, type FieldFacts, NO_LENGTH } from './field-scan.ts';
import type { Http1Leniency } from './limits.ts';

/** A body's framing: a number of bytes (0 or more), or one of the two constants. */
export type Framing = number;

/** The body is a sequence of chunks. */
export const CHUNKED: Framing = -1;
/** The body ends with the connection (responses only). */
export const UNTIL_CLOSE: Framing = -2;

/**
 * The body length of a request.
 *
 * @throws CirqueError InvalidHTTPHeader, status 400 or 501, when it is not certain.
 */
export function requestFraming(facts: FieldFacts, minorVersion: number, lenient: Http1Leniency): Framing {
  const coding = facts.transferEncoding;
  if (coding !== undefined) {
    if (minorVersion === 0) throw refuse('Transfer-Encoding in an HTTP/1.0 request');
    if (facts.contentLengthLines > 0 && lenient.contentLengthWithTransferEncoding !== true) {
      throw refuse('both Transfer-Encoding and Content-Length');
    }
    if (coding.toLowerCase() !== 'chunked') throw unknownCoding(coding);
    return CHUNKED;
  }
  if (facts.contentLengthLines > 1 && lenient.repeatedContentLength !== true) {
    throw refuse('more than one Content-Length');
  }
  if (facts.contentLength === BAD_LENGTH) throw refuse('Content-Length is not a number of bytes');
  // No framing field: a request is never delimited by the close of the connection.
  return facts.contentLength === NO_LENGTH ? 0 : facts.contentLength;
}

/**
 * The body length of a response to a request of the given method.
 *
 * @throws CirqueError InvalidHTTPHeader, source Upstream, when it is not certain.
 */
export function responseFraming(
  facts: FieldFacts,
  status: number,
  minorVersion: number,
  requestMethod: string,
): Framing {
  if (hasNoBody(status, requestMethod)) return 0;
  const coding = facts.transferEncoding;
  if (coding !== undefined) {
    if (minorVersion === 0) throw distrust('Transfer-Encoding in an HTTP/1.0 response');
    if (coding.toLowerCase() !== 'chunked') throw distrust(`transfer coding ${JSON.stringify(coding.slice(0, 64))}`);
    return CHUNKED;
  }
  if (facts.contentLength === BAD_LENGTH) throw distrust('Content-Length is not one number of bytes');
  return facts.contentLength === NO_LENGTH ? UNTIL_CLOSE : facts.contentLength;
}

/** True when a response cannot have a body whatever its fields say (RFC 9112 section 6.3, rules 1 and 2). */
export function hasNoBody(status: number, requestMethod: string): boolean {
  if (status < 200 || status === 204 || status === 304) return true;
  return requestMethod === 'HEAD' || (requestMethod === 'CONNECT' && status < 300);
}

/** True when the response must not carry Content-Length at all (RFC 9110 section 8.6). */
export function forbidsContentLength(status: number): boolean {
  return status < 200 || status === 204;
}

function unknownCoding(coding: string): CirqueError {
  const known = /(^|,)[ \t]*chunked$/i.test(coding) && !/chunked[ \t]*,/i.test(coding);
  const options = { source: 'Downstream', status: known ? 501 : 400 } as const;
  const shown = JSON.stringify(coding.slice(0, 64));
  return new CirqueError('InvalidHTTPHeader', `transfer coding ${shown}, only chunked is accepted`, options);
}

function refuse(what: string): CirqueError {
  return new CirqueError('InvalidHTTPHeader', what, { source: 'Downstream', status: 400 });
}

function distrust(what: string): CirqueError {
  return new CirqueError('InvalidHTTPHeader', what, { source: 'Upstream' });
}
