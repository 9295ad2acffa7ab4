/**
 * Turns errors of Node.js (system calls, DNS, TLS, streams) into ours. The only file that reads `err.code`.
 *
 * The phase decides as much as the code does: ECONNRESET is another event while connecting than while reading.
 * Source for the connect rows: Pingora's transport connector; for the codes: Node's "Common system errors" and
 * the X509 verification codes of OpenSSL.
 */
import { CirqueError } from './cirque-error.ts';
import type { ErrorSource, KnownErrorType } from './error-type.ts';

/** What was being done when the error came. */
export type NodePhase = 'connect' | 'read' | 'write' | 'bind' | 'accept' | 'tls';

/** Used when the code says nothing more precise. */
const FALLBACK: Readonly<Record<NodePhase, KnownErrorType>> = {
  connect: 'ConnectError',
  read: 'ReadError',
  write: 'WriteError',
  bind: 'BindError',
  accept: 'AcceptError',
  tls: 'TLSHandshakeFailure',
};

const CONNECT: Readonly<Record<string, KnownErrorType>> = {
  ECONNREFUSED: 'ConnectRefused',
  ETIMEDOUT: 'ConnectTimedout',
  ERR_SOCKET_CONNECTION_TIMEOUT: 'ConnectTimedout',
  ENETUNREACH: 'ConnectNoRoute',
  EHOSTUNREACH: 'ConnectNoRoute',
  ENETDOWN: 'ConnectNoRoute',
  EHOSTDOWN: 'ConnectNoRoute',
  // This host is at fault, not the peer: another peer would fail the same way.
  EADDRNOTAVAIL: 'InternalError',
  EADDRINUSE: 'InternalError',
  EACCES: 'InternalError',
  EPERM: 'InternalError',
  EMFILE: 'SocketError',
  ENFILE: 'SocketError',
  ENOBUFS: 'SocketError',
  ENOMEM: 'SocketError',
  EAFNOSUPPORT: 'SocketError',
};

// ETIMEDOUT is absent on purpose: there it is the kernel that gave the connection up, so nothing can be sent any
// more; ReadTimedout and WriteTimedout mean our own deadlines, after which an answer is still possible.
const STREAM: Readonly<Record<string, KnownErrorType>> = {
  ERR_STREAM_PREMATURE_CLOSE: 'ConnectionClosed',
  ERR_STREAM_DESTROYED: 'ConnectionClosed',
  ERR_SOCKET_CLOSED: 'ConnectionClosed',
  ERR_SOCKET_CLOSED_BEFORE_CONNECTION: 'ConnectionClosed',
};

const TLS: Readonly<Record<string, KnownErrorType>> = {
  ERR_TLS_HANDSHAKE_TIMEOUT: 'TLSHandshakeTimedout',
  ETIMEDOUT: 'TLSHandshakeTimedout',
  ERR_TLS_CERT_ALTNAME_INVALID: 'InvalidCert',
  ERR_TLS_CERT_ALTNAME_FORMAT: 'InvalidCert',
  ERR_TLS_INVALID_CONTEXT: 'TLSConfigError',
  ERR_TLS_INVALID_PROTOCOL_VERSION: 'TLSConfigError',
  ERR_TLS_INVALID_PROTOCOL_METHOD: 'TLSConfigError',
  ERR_TLS_PROTOCOL_VERSION_CONFLICT: 'TLSConfigError',
};

/** Codes of failed certificate verification: the X509_V_ERR_* names without their prefix. */
const CERTIFICATE =
  /^(?:CERT_|CRL_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|ERROR_IN_CERT_|ERROR_IN_CRL_|INVALID_CA$|INVALID_PURPOSE$|PATH_LENGTH_EXCEEDED$|HOSTNAME_MISMATCH$|EE_KEY_TOO_SMALL$|CA_KEY_TOO_SMALL$|CA_MD_TOO_WEAK$)/;

/** Problems with keys, certificates and options that are ours to fix, as OpenSSL and Node name them. */
const TLS_CONFIGURATION = /^ERR_(?:OSSL_(?:PEM|EVP|X509|ASN1|PKCS12)_|CRYPTO_|INVALID_ARG_)/;

/**
 * Converts an error of Node.js.
 *
 * One of our errors comes back as it is, with `context` wrapped around it if given. Everything else becomes the
 * cause of a new error whose type follows from its code and the phase. `retry` is left `false`: whether a repetition is
 * safe depends on what had been sent, which only the caller knows.
 */
export function fromNodeError(error: unknown, phase: NodePhase, source: ErrorSource, context = ''): CirqueError {
  if (CirqueError.is(error)) {
    const ours = CirqueError.from(error, 'UnknownError', source);
    return context === '' ? ours : ours.moreContext(context);
  }
  const text = error === undefined && context === '' ? 'undefined was thrown' : context;
  return new CirqueError(typeFor(codeIn(error), phase), text, { source, cause: error });
}

function typeFor(code: string, phase: NodePhase): KnownErrorType {
  if (phase === 'connect') return lookUp(CONNECT, code) ?? FALLBACK.connect;
  if (phase === 'tls') return tlsType(code);
  if (phase === 'bind' || phase === 'accept') return FALLBACK[phase];
  if (code.startsWith('ERR_HTTP2_')) return 'H2Error';
  return lookUp(STREAM, code) ?? FALLBACK[phase];
}

function tlsType(code: string): KnownErrorType {
  const type = lookUp(TLS, code);
  if (type !== undefined) return type;
  if (CERTIFICATE.test(code)) return 'InvalidCert';
  return TLS_CONFIGURATION.test(code) ? 'TLSConfigError' : FALLBACK.tls;
}

function lookUp(table: Readonly<Record<string, KnownErrorType>>, code: string): KnownErrorType | undefined {
  return Object.hasOwn(table, code) ? table[code] : undefined;
}

/** The code of an error; of the first attempt where several addresses were tried. Empty if there is none. */
function codeIn(error: unknown): string {
  if (!(error instanceof Error)) return '';
  if ('code' in error && typeof error.code === 'string') return error.code;
  return error instanceof AggregateError ? codeIn(error.errors[0]) : '';
}
