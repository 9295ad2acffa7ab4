/**
 * What a broken HTTP/2 stream or connection means for its request: the error, and whether it may be tried again.
 *
 * Source: RFC 9113 section 8.7. Only REFUSED_STREAM, a GOAWAY with a lower id, and what was never written say for sure that
 * nothing was processed.
 */
import { CirqueError } from '@cirque/error';
import { ErrorCode, errorCodeName } from '@cirque/http2';

/** What is known of the request. */
export interface StreamFacts {
  /** Nothing of it has left this process. */
  readonly unsent: boolean;
  /** Something of its response has come. */
  readonly responseStarted: boolean;
}

/** What is known of its connection. */
export interface ConnectionFacts {
  /** It has brought a response before. */
  readonly answered: boolean;
  /** It takes no more streams: the upstream is about to close it. */
  readonly draining: boolean;
  /** The peer may be asked over HTTP/1.1 in its place, and that will be remembered. */
  readonly mayDowngrade: boolean;
}

/** We had to reset the stream because of what the upstream sent on it. */
export function rulesError(reason: string | undefined): CirqueError {
  return CirqueError.upstream('InvalidH2', `the response broke the rules of HTTP/2: ${reason ?? 'reason unknown'}`);
}

/** The upstream reset the stream. */
export function resetError(code: number, stream: StreamFacts, connection: ConnectionFacts): CirqueError {
  if (code === ErrorCode.HTTP_1_1_REQUIRED) {
    const error = CirqueError.upstream('H2Downgrade', 'the upstream wants HTTP/1.1 for this request');
    return error.setRetry(connection.mayDowngrade);
  }
  const error = CirqueError.upstream('H2Error', `the upstream reset the stream (${errorCodeName(code)})`);
  if (code === ErrorCode.REFUSED_STREAM) return error.setRetry(true);
  // On a connection that goes on, a reset is an answer to this request: the next attempt would get the same one.
  return connection.draining ? error.setRetry(retryOf(stream, connection)) : error;
}

/** The connection is gone, for the given reason. Every stream gets an error of its own: who retries changes it. */
export function lostError(cause: CirqueError, stream: StreamFacts, connection: ConnectionFacts): CirqueError {
  return cause.moreContext('HTTP/2 connection lost').setRetry(retryOf(stream, connection));
}

function retryOf(stream: StreamFacts, connection: ConnectionFacts): boolean | 'ReusedOnly' {
  if (stream.unsent) return true;
  return !stream.responseStarted && connection.answered ? 'ReusedOnly' : false;
}
