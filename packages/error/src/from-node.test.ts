import { describe, expect, test } from 'vitest';
import { CirqueError } from './cirque-error.ts';
import { fromNodeError, type NodePhase } from './from-node.ts';

function nodeError(code: string): Error {
  return Object.assign(new Error(`something ${code}`), { code });
}

describe('fromNodeError', () => {
  const table: Record<NodePhase, Record<string, string>> = {
    connect: {
      ECONNREFUSED: 'ConnectRefused',
      ETIMEDOUT: 'ConnectTimedout',
      ERR_SOCKET_CONNECTION_TIMEOUT: 'ConnectTimedout',
      ENETUNREACH: 'ConnectNoRoute',
      EHOSTUNREACH: 'ConnectNoRoute',
      EADDRNOTAVAIL: 'InternalError',
      EADDRINUSE: 'InternalError',
      EACCES: 'InternalError',
      EMFILE: 'SocketError',
      ENOTFOUND: 'ConnectError',
      ENOENT: 'ConnectError',
      ECONNRESET: 'ConnectError',
      toString: 'ConnectError',
    },
    read: {
      ECONNRESET: 'ReadError',
      ETIMEDOUT: 'ReadError',
      ERR_STREAM_PREMATURE_CLOSE: 'ConnectionClosed',
      ERR_HTTP2_STREAM_ERROR: 'H2Error',
    },
    write: {
      EPIPE: 'WriteError',
      ECONNRESET: 'WriteError',
      ETIMEDOUT: 'WriteError',
      ERR_STREAM_DESTROYED: 'ConnectionClosed',
      ERR_SOCKET_CLOSED: 'ConnectionClosed',
      ERR_HTTP2_GOAWAY_SESSION: 'H2Error',
    },
    bind: { EADDRINUSE: 'BindError', EACCES: 'BindError', ETIMEDOUT: 'BindError' },
    accept: { EMFILE: 'AcceptError', ECONNABORTED: 'AcceptError' },
    tls: {
      ECONNRESET: 'TLSHandshakeFailure',
      ERR_SSL_WRONG_VERSION_NUMBER: 'TLSHandshakeFailure',
      EPROTO: 'TLSHandshakeFailure',
      ERR_TLS_HANDSHAKE_TIMEOUT: 'TLSHandshakeTimedout',
      ETIMEDOUT: 'TLSHandshakeTimedout',
      ERR_TLS_CERT_ALTNAME_INVALID: 'InvalidCert',
      CERT_HAS_EXPIRED: 'InvalidCert',
      DEPTH_ZERO_SELF_SIGNED_CERT: 'InvalidCert',
      SELF_SIGNED_CERT_IN_CHAIN: 'InvalidCert',
      UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'InvalidCert',
      CRL_HAS_EXPIRED: 'InvalidCert',
      HOSTNAME_MISMATCH: 'InvalidCert',
      ERR_OSSL_PEM_NO_START_LINE: 'TLSConfigError',
      ERR_OSSL_X509_KEY_VALUES_MISMATCH: 'TLSConfigError',
      ERR_TLS_INVALID_PROTOCOL_VERSION: 'TLSConfigError',
    },
  };
  const rows = Object.entries(table).flatMap(([phase, codes]) =>
    Object.entries(codes).map(([code, type]) => [phase as NodePhase, code, type] as const),
  );

  test.each(rows)('%s: %s becomes %s', (phase, code, type) => {
    const cause = nodeError(code);
    const error = fromNodeError(cause, phase, 'Upstream', 'doing it');
    expect([error.type, error.source, error.context, error.retry]).toEqual([type, 'Upstream', 'doing it', false]);
    expect(error.cause).toBe(cause);
  });

  test('looks at the first attempt when several addresses were tried', () => {
    const attempts = [nodeError('ECONNREFUSED'), nodeError('ENETUNREACH')];
    expect(fromNodeError(new AggregateError(attempts), 'connect', 'Upstream').type).toBe('ConnectRefused');
    const withOwnCode = Object.assign(new AggregateError(attempts), { code: 'ETIMEDOUT' });
    expect(fromNodeError(withOwnCode, 'connect', 'Upstream').type).toBe('ConnectTimedout');
    expect(fromNodeError(new AggregateError([]), 'connect', 'Upstream').type).toBe('ConnectError');
  });

  test('falls back on the type of the phase for errors without a code and for what is no error', () => {
    expect(fromNodeError(new Error('odd'), 'read', 'Downstream').type).toBe('ReadError');
    expect(fromNodeError(Object.assign(new Error('odd'), { code: 7 }), 'write', 'Downstream').type).toBe('WriteError');
    expect(fromNodeError('text', 'accept', 'Internal').toString()).toBe('Internal AcceptError cause: string text');
    expect(fromNodeError(undefined, 'tls', 'Upstream').message).toBe('TLSHandshakeFailure: undefined was thrown');
  });

  test('leaves errors of ours as they are, but for the context', () => {
    const ours = CirqueError.http(502);
    expect(fromNodeError(ours, 'read', 'Upstream')).toBe(ours);
    expect(ours.source).toBe('Upstream');
    const outer = fromNodeError(ours, 'read', 'Downstream', 'reading');
    expect([outer.status, outer.source, outer.context, outer.cause]).toEqual([502, 'Upstream', 'reading', ours]);
  });
});
