/**
 * The handshake of one accepted connection: deadline, choice of the host, verdict on the client, callbacks.
 *
 * Node's server sockets are made directly, as nothing here listens. What Node leaves to its own TLS server, and is done
 * here: whether the client's certificate is trusted ('secure' event), and errors after the handshake ('_tlsError').
 * From its beginning the connection is closed through the TLS socket only: Node crashes when the one below goes first.
 */
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { CirqueError, fromNodeError } from '@cirque/error';
import { Timer, type TimerWheel } from '@cirque/timeout';
import { type SslDigest, Stream, sslDigest } from '@cirque/transport';
import { judgeClient } from './client-certificate.ts';
import { setHostRule } from './host-rules.ts';
import type { TlsContexts, TlsHost } from './tls-contexts.ts';
import type { TlsSettings } from './tls-settings.ts';

/** One handshake. */
export class TlsHandshake {
  /** The encrypted stream; ready for use when {@link done} has resolved. */
  readonly stream: Stream;
  readonly #raw: Stream;
  readonly #socket: TLSSocket;
  readonly #settings: TlsSettings;
  readonly #contexts: TlsContexts;
  readonly #finished = Promise.withResolvers<void>();
  readonly #timer: Timer;
  #host: TlsHost | undefined;
  #reason: CirqueError | undefined;

  /**
   * Begins on a connection of which nothing was read, or where what was read has been put back.
   *
   * @param raw a stream over a `net.Socket`, not started. It belongs to the new stream from now on.
   */
  constructor(raw: Stream, settings: TlsSettings, wheel?: TimerWheel) {
    this.#raw = raw;
    this.#settings = settings;
    this.#contexts = settings.contexts;
    this.#socket = this.#wrap(raw.duplex as Socket);
    this.stream = new Stream(this.#socket, 'Downstream');
    this.#identify(undefined);
    this.#timer = new Timer(() => this.#fail(tooLate(settings.options.handshakeTimeoutMs)), wheel);
    this.#timer.set(settings.options.handshakeTimeoutMs);
    this.#socket.on('_tlsError', failed);
    this.#socket.on('error', this.#onError);
    this.#socket.on('close', this.#onClose);
    this.#socket.on('end', this.#onClose);
    this.#socket.once('secure', this.#onSecure);
    this.#finished.promise.catch(() => {}); // whoever awaits it hears of it
  }

  /**
   * Resolves when the connection may be served.
   *
   * @throws CirqueError, source Downstream: TLSHandshakeFailure, TLSHandshakeTimedout, InvalidCert, ConnectionClosed when
   * the client went away; source Internal when a callback failed. The stream is closed then.
   */
  get done(): Promise<void> {
    return this.#finished.promise;
  }

  #wrap(socket: Socket): TLSSocket {
    const { alpn, options } = this.#settings;
    const contexts = this.#contexts;
    const needsName = Object.keys(options.hosts).length > 0 || options.selectCertificate !== undefined;
    const secured = new TLSSocket(socket, {
      isServer: true,
      secureContext: contexts.first,
      requestCert: contexts.asksClients,
      rejectUnauthorized: false,
      ...(alpn.length > 0 ? { ALPNProtocols: [...alpn] } : {}),
      ...(needsName ? { SNICallback: (name, use) => this.#select(name, use) } : {}),
    });
    if (contexts.first !== contexts.fallback.context) askWithoutName(secured);
    return secured;
  }

  /** A callback of the user may throw here: that must not reach Node. */
  #select(name: string, use: (error: Error | null, context?: TlsHost['context']) => void): void {
    const settle = (host: TlsHost): void => {
      this.#host = host;
      if (!host.hasCertificate) this.#reason = noCertificate(name);
      use(null, host.context);
    };
    try {
      const host = this.#contexts.select(name);
      if (host instanceof Promise) host.then(settle).catch((error: unknown) => this.#callbackFailed(error));
      else settle(host);
    } catch (error) {
      this.#callbackFailed(error);
    }
  }

  readonly #onSecure = (): void => {
    // From now on that is for the application: it may have been all that the client wanted to say.
    this.#socket.off('end', this.#onClose);
    if (this.#contexts.asksClients) verifyPeer(this.#socket);
    const ssl = sslDigest(this.#socket);
    // Without a name, and where a session is resumed, nobody was asked to select.
    const host = this.#host ?? this.#contexts.known(ssl.serverName);
    this.#judge(ssl, host).then(
      // Not before this event is over: it comes from within OpenSSL.
      () => setImmediate(this.#succeed, ssl, host),
      (error: unknown) => this.#callbackFailed(error),
    );
  };

  async #judge(ssl: SslDigest, { client }: TlsHost): Promise<void> {
    const { verifyClient, handshakeComplete } = this.#settings.options;
    await judgeClient(ssl, client, verifyClient);
    if (handshakeComplete !== undefined) ssl.extension = await handshakeComplete(ssl);
  }

  readonly #succeed = (ssl: SslDigest, host: TlsHost): void => {
    if (this.#socket.destroyed) return;
    this.#identify(ssl);
    const contexts = this.#contexts;
    if (contexts.asksClients) setHostRule(this.stream, (name) => contexts.sharesRules(host, name));
    this.#release();
    this.#finished.resolve();
  };

  #identify(ssl: SslDigest | undefined): void {
    this.stream.identify({ ssl, proxyHeader: this.#raw.digest.proxyHeader, carrier: this.#raw.duplex });
  }

  readonly #onError = (error: Error): void => {
    this.#reason ??= fromNodeError(error, 'tls', 'Downstream');
  };

  readonly #onClose = (): void => {
    this.#fail(this.#reason ?? CirqueError.downstream('ConnectionClosed', 'the client left during the TLS handshake'));
  };

  #callbackFailed(error: unknown): void {
    this.#fail(CirqueError.from(error, 'TLSHandshakeFailure', 'Internal'));
  }

  #fail(error: CirqueError): void {
    this.#release();
    this.stream.destroy(error);
    this.#finished.reject(error);
  }

  #release(): void {
    this.#timer.close();
    this.#socket.off('error', this.#onError).off('secure', this.#onSecure);
    this.#socket.off('close', this.#onClose).off('end', this.#onClose);
  }
}

/** Stands for no server name; it is none itself. */
const NO_NAME = ' ';

/** Node asks which context to use for clients that send a server name: now for the others, too. */
function askWithoutName(socket: TLSSocket): void {
  const { ssl } = socket as unknown as { ssl: { oncertcb?: (this: unknown, hello: { servername?: string }) => void } };
  const { oncertcb } = ssl;
  if (oncertcb === undefined) return;
  ssl.oncertcb = function onCertificateNeeded(hello) {
    oncertcb.call(this, { ...hello, servername: hello.servername || NO_NAME });
  };
}

/** What Node's own TLS server does, but that no certificate is never a trusted one. */
function verifyPeer(socket: TLSSocket): void {
  if (socket.getPeerX509Certificate() === undefined) return;
  const { ssl } = socket as unknown as { ssl: { verifyError(): NodeJS.ErrnoException | null | undefined } };
  const error = ssl.verifyError();
  socket.authorized = error === null || error === undefined;
  if (!socket.authorized) socket.authorizationError = (error?.code ?? 'UNSPECIFIED') as unknown as Error;
}

/** Errors of TLS itself after the handshake, such as a damaged record: Node tells of them, and goes on. */
function failed(this: TLSSocket, error: Error): void {
  this.destroy(error);
}

function noCertificate(name: string): CirqueError {
  const whom = name === NO_NAME ? 'a client that sends no server name' : JSON.stringify(name);
  return CirqueError.downstream('TLSHandshakeFailure', `there is no certificate for ${whom}`);
}

function tooLate(ms: number): CirqueError {
  return CirqueError.downstream('TLSHandshakeTimedout', `the TLS handshake was not complete within ${ms} ms`);
}
