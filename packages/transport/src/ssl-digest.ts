/**
 * Facts of a TLS connection, either side. Made when the handshake is complete; known after the close as well.
 */
import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { PeerCertificateFacts } from './peer-certificate.ts';
import { plainServerName } from './server-name.ts';

/** What a handshake settled (Pingora's SslDigest). */
export interface SslDigest {
  /** `TLSv1.2` or `TLSv1.3`. */
  readonly version: string;
  /** The cipher by its IANA name, such as `TLS_AES_128_GCM_SHA256`. */
  readonly cipher: string;
  /** The protocol agreed by ALPN, such as `h2`; undefined when none was. */
  readonly alpn: string | undefined;
  /**
   * The server name (SNI), lower case, without a trailing dot. Undefined when the client sent none, and to a server also when
   * a TLS 1.2 session was resumed: OpenSSL then knows only names that the server confirmed, and Node confirms none.
   */
  readonly serverName: string | undefined;
  /** True when a session was resumed. */
  readonly sessionReused: boolean;
  /** True when the other side gave a certificate that leads to a trusted authority. */
  readonly authorized: boolean;
  /** Why not, as a code such as `CERT_HAS_EXPIRED`; undefined when authorized, and when no certificate was asked for. */
  readonly authorizationError: string | undefined;
  /** The other side's certificate; undefined when it gave none. */
  readonly peerCertificate: PeerCertificateFacts | undefined;
  /** The user's: what the `handshakeComplete` callback answered. */
  extension: unknown;
}

/**
 * Reads the facts of a socket whose handshake is complete.
 *
 * @param origin on the client's side, the digest of the connection whose session was offered: an upstream that resumes
 * it does not show its certificate again, and what was found out about it then still holds.
 */
export function sslDigest(socket: TLSSocket, origin?: SslDigest): SslDigest {
  return new SocketSslDigest(socket, origin instanceof SocketSslDigest ? origin : undefined);
}

class SocketSslDigest implements SslDigest {
  readonly version: string;
  readonly cipher: string;
  readonly alpn: string | undefined;
  readonly serverName: string | undefined;
  readonly sessionReused: boolean;
  readonly authorized: boolean;
  readonly authorizationError: string | undefined;
  extension: unknown;
  readonly #certificate: X509Certificate | undefined;
  #facts: PeerCertificateFacts | undefined;

  constructor(socket: TLSSocket, offered: SocketSslDigest | undefined) {
    this.version = socket.getProtocol() ?? 'unknown';
    this.cipher = socket.getCipher()?.standardName ?? 'unknown';
    this.alpn = socket.alpnProtocol || undefined;
    this.serverName = plainServerName((socket as { servername?: string | false | null }).servername);
    this.sessionReused = socket.isSessionReused();
    this.extension = undefined;
    const origin = this.sessionReused ? offered : undefined;
    this.#certificate = origin === undefined ? socket.getPeerX509Certificate() : origin.#certificate;
    this.authorized = origin?.authorized ?? (socket.authorized && this.#certificate !== undefined);
    this.authorizationError = this.authorized ? undefined : (origin?.authorizationError ?? reasonOf(socket));
  }

  // Taken apart only when somebody asks: most certificates are verified and never looked at.
  get peerCertificate(): PeerCertificateFacts | undefined {
    if (this.#certificate !== undefined) this.#facts ??= new PeerCertificateFacts(this.#certificate);
    return this.#facts;
  }

  /** For logs: accessors are not copied by JSON. The extension is the user's and stays out. */
  toJSON(): Omit<SslDigest, 'extension'> {
    const { version, cipher, alpn, serverName, sessionReused, authorized, authorizationError, peerCertificate } = this;
    return { version, cipher, alpn, serverName, sessionReused, authorized, authorizationError, peerCertificate };
  }
}

/** Node declares an Error and gives a code; it may be either, or nothing. */
function reasonOf(socket: TLSSocket): string | undefined {
  const error = socket.authorizationError as unknown;
  if (error === undefined || error === null) return undefined;
  return error instanceof Error ? ((error as NodeJS.ErrnoException).code ?? error.message) : String(error);
}
