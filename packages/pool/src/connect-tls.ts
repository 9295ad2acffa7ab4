/**
 * One TLS handshake over a byte stream that is there already: TCP, a unix socket, a tunnel or a user's duplex.
 *
 * What is asked of the other side is in the options; here are the deadline, the errors, and that nothing of a connection
 * is used before its handshake is complete and its certificate verified.
 */
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { CirqueError, fromNodeError } from '@cirque/error';
import { Timer, type TimerWheel } from '@cirque/timeout';
import { type SslDigest, Stream, type StreamHandler, sslDigest } from '@cirque/transport';
import type { KnownSession } from './tls-sessions.ts';

/** What one handshake needs. */
export interface TlsAttempt {
  /** For `tls.connect`, everything but the socket and the session. */
  readonly options: ConnectionOptions;
  /** What to take up where an earlier connection ended. */
  readonly resume?: KnownSession | undefined;
  /** Context of the errors. */
  readonly what: string;
  /** 0: no deadline of its own. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly wheel?: TimerWheel | undefined;
  /** A session that may be resumed later. Called for verified connections only, also after the handshake. */
  readonly onSession?: ((session: Buffer, ssl: SslDigest) => void) | undefined;
  /** A line of the key log. */
  readonly onKeyLog?: ((line: Buffer) => void) | undefined;
}

/**
 * Performs the handshake and answers the encrypted stream, not started. The raw stream is used up: unowned before, it
 * belongs to the new one; it is destroyed when the handshake fails.
 *
 * @throws CirqueError, source Upstream: InvalidCert when the certificate is not accepted, TLSHandshakeTimedout at the
 * deadline, TLSHandshakeFailure for everything else, ConnectError when the signal aborts. No byte of a request was sent.
 */
export function connectTls(raw: Stream, attempt: TlsAttempt): Promise<Stream> {
  return new Promise((resolve, reject) => new Handshake(raw, attempt, resolve, reject).start());
}

class Handshake {
  readonly #raw: Stream;
  readonly #attempt: TlsAttempt;
  readonly #resolve: (stream: Stream) => void;
  readonly #reject: (error: CirqueError) => void;
  readonly #timer: Timer;
  #socket: TLSSocket | undefined;
  #settled = false;
  /** Undefined until the other side is verified. */
  #ssl: SslDigest | undefined;

  constructor(raw: Stream, attempt: TlsAttempt, resolve: (s: Stream) => void, reject: (e: CirqueError) => void) {
    this.#raw = raw;
    this.#attempt = attempt;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#timer = new Timer(() => this.#fail(this.#error('TLSHandshakeTimedout')), attempt.wheel);
  }

  start(): void {
    const { signal, timeoutMs } = this.#attempt;
    if (signal?.aborted === true) {
      this.#onAbort();
    } else if (this.#raw.destroyed) {
      // Over a socket that is gone Node would wait for ever.
      this.#onClose();
    } else {
      signal?.addEventListener('abort', this.#onAbort);
      if (timeoutMs > 0) this.#timer.set(timeoutMs);
      this.#begin();
    }
  }

  #begin(): void {
    const { options, resume, what, onSession, onKeyLog } = this.#attempt;
    const session = resume === undefined ? {} : { session: resume.session };
    let socket: TLSSocket;
    try {
      socket = connect({ ...options, ...session, socket: this.#raw.duplex });
    } catch (cause) {
      this.#fail(fromNodeError(cause, 'tls', 'Internal', what));
      return;
    }
    this.#socket = socket;
    // From now on the bytes are for the TLS socket only.
    this.#raw.handler = NOBODY;
    socket.on('error', this.#onError);
    socket.on('close', this.#onClose);
    socket.once('secureConnect', this.#onSecure);
    if (onSession !== undefined) socket.on('session', (session) => this.#onSession(session));
    if (onKeyLog !== undefined) socket.on('keylog', onKeyLog);
  }

  readonly #onSecure = (): void => {
    const socket = this.#socket as TLSSocket;
    this.#settle();
    const stream = new Stream(socket, 'Upstream');
    this.#ssl = sslDigest(socket, this.#attempt.resume?.ssl);
    stream.identify({ ssl: this.#ssl, carrier: this.#raw.duplex });
    this.#resolve(stream);
  };

  /** Node tells sessions once the certificate was judged, also those of TLS 1.2, which come before. */
  #onSession(session: Buffer): void {
    if (this.#ssl !== undefined) this.#attempt.onSession?.(session, this.#ssl);
  }

  readonly #onError = (cause: Error): void => this.#fail(fromNodeError(cause, 'tls', 'Upstream', this.#attempt.what));

  readonly #onClose = (): void => this.#fail(this.#error('TLSHandshakeFailure', ': the connection was closed'));

  readonly #onAbort = (): void => this.#fail(this.#error('ConnectError', ' was cancelled'));

  #error(type: 'TLSHandshakeTimedout' | 'TLSHandshakeFailure' | 'ConnectError', more = ''): CirqueError {
    return CirqueError.upstream(type, this.#attempt.what + more);
  }

  #fail(error: CirqueError): void {
    if (this.#settled) return;
    this.#settle();
    // It was given up; what it says afterwards is of no interest.
    this.#socket?.on('error', () => undefined);
    this.#socket?.destroy();
    this.#raw.destroy();
    this.#reject(error);
  }

  #settle(): void {
    this.#settled = true;
    this.#timer.close();
    this.#attempt.signal?.removeEventListener('abort', this.#onAbort);
    this.#socket?.off('error', this.#onError).off('close', this.#onClose).off('secureConnect', this.#onSecure);
  }
}

const NOBODY: StreamHandler = { onRead() {}, onReadEnd() {}, onDrain() {}, onClose() {} };
