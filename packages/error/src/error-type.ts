/**
 * The names of what can go wrong, and the stable code that belongs to each.
 *
 * The spelling is that of Pingora's ErrorType, so that both can be searched with one word.
 * Knows nothing about sources, retries or HTTP statuses (status.ts).
 */

/** Who caused an error: the origin side, the client side, this process, or nobody said. */
export type ErrorSource = 'Upstream' | 'Downstream' | 'Internal' | 'Unset';

/** The types this project itself uses; `ErrorType` also admits names of your own. */
export type KnownErrorType =
  | 'ConnectTimedout'
  | 'ConnectRefused'
  | 'ConnectNoRoute'
  | 'ConnectError'
  | 'ConnectProxyFailure'
  | 'TLSWantX509Lookup'
  | 'TLSHandshakeFailure'
  | 'TLSHandshakeTimedout'
  | 'TLSConfigError'
  | 'InvalidCert'
  | 'HandshakeError'
  | 'BindError'
  | 'AcceptError'
  | 'SocketError'
  | 'InvalidHTTPHeader'
  | 'InvalidChunk'
  | 'InvalidTrailerEnd'
  | 'PrematureBodyEnd'
  | 'ResponseTooLarge'
  | 'H1Error'
  | 'H2Error'
  | 'H2Downgrade'
  | 'InvalidH2'
  | 'PingTimedout'
  | 'ReadError'
  | 'WriteError'
  | 'ReadTimedout'
  | 'WriteTimedout'
  | 'ConnectionClosed'
  | 'HTTPStatus'
  | 'CompressionError'
  | 'FileOpenError'
  | 'FileCreateError'
  | 'FileReadError'
  | 'FileWriteError'
  | 'Daemon'
  | 'InternalError'
  | 'UnknownError';

/**
 * What went wrong. One of the known names, or any other text: what Pingora calls `Custom(name)`.
 * Choose PascalCase for your own, the code is derived from it.
 */
export type ErrorType = KnownErrorType | (string & Record<never, never>);

// A record, not an array: a known type without a code, or a code for an unknown type, does not compile.
const CODES: Readonly<Record<KnownErrorType, string>> = {
  ConnectTimedout: 'CQ_CONNECT_TIMEDOUT',
  ConnectRefused: 'CQ_CONNECT_REFUSED',
  ConnectNoRoute: 'CQ_CONNECT_NO_ROUTE',
  ConnectError: 'CQ_CONNECT_ERROR',
  ConnectProxyFailure: 'CQ_CONNECT_PROXY_FAILURE',
  TLSWantX509Lookup: 'CQ_TLS_WANT_X509_LOOKUP',
  TLSHandshakeFailure: 'CQ_TLS_HANDSHAKE_FAILURE',
  TLSHandshakeTimedout: 'CQ_TLS_HANDSHAKE_TIMEDOUT',
  TLSConfigError: 'CQ_TLS_CONFIG_ERROR',
  InvalidCert: 'CQ_INVALID_CERT',
  HandshakeError: 'CQ_HANDSHAKE_ERROR',
  BindError: 'CQ_BIND_ERROR',
  AcceptError: 'CQ_ACCEPT_ERROR',
  SocketError: 'CQ_SOCKET_ERROR',
  InvalidHTTPHeader: 'CQ_INVALID_HTTP_HEADER',
  InvalidChunk: 'CQ_INVALID_CHUNK',
  InvalidTrailerEnd: 'CQ_INVALID_TRAILER_END',
  PrematureBodyEnd: 'CQ_PREMATURE_BODY_END',
  ResponseTooLarge: 'CQ_RESPONSE_TOO_LARGE',
  H1Error: 'CQ_H1_ERROR',
  H2Error: 'CQ_H2_ERROR',
  H2Downgrade: 'CQ_H2_DOWNGRADE',
  InvalidH2: 'CQ_INVALID_H2',
  PingTimedout: 'CQ_PING_TIMEDOUT',
  ReadError: 'CQ_READ_ERROR',
  WriteError: 'CQ_WRITE_ERROR',
  ReadTimedout: 'CQ_READ_TIMEDOUT',
  WriteTimedout: 'CQ_WRITE_TIMEDOUT',
  ConnectionClosed: 'CQ_CONNECTION_CLOSED',
  HTTPStatus: 'CQ_HTTP_STATUS',
  CompressionError: 'CQ_COMPRESSION_ERROR',
  FileOpenError: 'CQ_FILE_OPEN_ERROR',
  FileCreateError: 'CQ_FILE_CREATE_ERROR',
  FileReadError: 'CQ_FILE_READ_ERROR',
  FileWriteError: 'CQ_FILE_WRITE_ERROR',
  Daemon: 'CQ_DAEMON',
  InternalError: 'CQ_INTERNAL_ERROR',
  UnknownError: 'CQ_UNKNOWN_ERROR',
};

/** All known types, in the order of the README's table. */
export const ERROR_TYPES: readonly KnownErrorType[] = /* @__PURE__ */ Object.keys(CODES) as KnownErrorType[];

/**
 * The stable code of a type: `ConnectTimedout` gives `CQ_CONNECT_TIMEDOUT`.
 *
 * Codes of the known types never change once released. Other names are put into upper snake case,
 * with anything but ASCII letters and digits taken as a word break: `QuotaExceeded` gives `CQ_QUOTA_EXCEEDED`.
 */
export function codeOf(type: ErrorType): string {
  return Object.hasOwn(CODES, type) ? CODES[type as KnownErrorType] : deriveCode(type);
}

/** The rule behind the table; exported for the test that holds both together. */
export function deriveCode(type: string): string {
  const words = type
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1_$2')
    .replace(/[^A-Za-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '');
  return words === '' ? CODES.UnknownError : `CQ_${words.toUpperCase()}`;
}
