/**
 * Turns errors of undici, and of what runs inside of its dispatchers, into ours.
 *
 * The codes are those of undici's documentation (docs/api/Errors.md); system errors are left to `fromNodeError`.
 */
import { CirqueError, fromNodeError, type KnownErrorType } from '@cirque/error';

const TYPES: Readonly<Record<string, KnownErrorType>> = {
  UND_ERR_CONNECT_TIMEOUT: 'ConnectTimedout',
  UND_ERR_HEADERS_TIMEOUT: 'ReadTimedout',
  UND_ERR_BODY_TIMEOUT: 'ReadTimedout',
  UND_ERR_SOCKET: 'ConnectionClosed',
  UND_ERR_HEADERS_OVERFLOW: 'InvalidHTTPHeader',
  UND_ERR_RESPONSE: 'InvalidHTTPHeader',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'PrematureBodyEnd',
  UND_ERR_RES_EXCEEDED_MAX_SIZE: 'ResponseTooLarge',
  UND_ERR_PRX_TLS: 'TLSHandshakeFailure',
  UND_ERR_BPL_MISSING_UPSTREAM: 'ConnectError',
  UND_MOCK_ERR_MOCK_NOT_MATCHED: 'ConnectError',
};

/** What is our fault, or that of whoever uses the dispatcher. */
const OURS: ReadonlySet<string> = new Set([
  'UND_ERR_INVALID_ARG',
  'UND_ERR_NOT_SUPPORTED',
  'UND_ERR_DESTROYED',
  'UND_ERR_CLOSED',
  'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH',
]);

/**
 * Converts what a dispatcher has reported.
 *
 * `retry` is true only where a connection broke before anything of this request was written. A connection that could not be
 * established is no reason to ask the same dispatcher again.
 * @param sent the request was given to a connection.
 */
export function dispatchError(error: unknown, sent: boolean): CirqueError {
  if (CirqueError.is(error)) return error;
  const code = codeOf(error);
  if (OURS.has(code)) return CirqueError.internal('InternalError', 'the dispatcher does not take this request', error);
  // The parser's errors have no code where llhttp's is not known to undici.
  const type = TYPES[code] ?? ((error as Error | undefined)?.name === 'HTTPParserError' ? 'H1Error' : undefined);
  // Only a proxy in between aborts what was not begun.
  if (code === 'UND_ERR_ABORTED')
    return CirqueError.upstream(sent ? 'ConnectionClosed' : 'ConnectProxyFailure', '', error);
  if (type === undefined) return systemError(error, sent);
  const converted = CirqueError.upstream(type, '', error);
  return type === 'ConnectionClosed' && !sent ? converted.setRetry(true) : converted;
}

function systemError(error: unknown, sent: boolean): CirqueError {
  if (sent) return fromNodeError(error, 'read', 'Upstream');
  const tls = fromNodeError(error, 'tls', 'Upstream');
  return tls.type === 'InvalidCert' || tls.type === 'TLSConfigError'
    ? tls
    : fromNodeError(error, 'connect', 'Upstream');
}

function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' ? code : '';
}
