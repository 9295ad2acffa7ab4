/**
 * What an endpoint does with a connection before and after the filter: PROXY header, then TLS. Endpoints without either
 * have no object of this class, and nothing of it is on their way.
 */
import { CirqueError } from '@cirque/error';
import type { Stream } from '@cirque/transport';
import type { Endpoint } from './endpoint.ts';
import { readFirst } from './first-bytes.ts';
import { type ProxyProtocolPolicy, readProxyHeader } from './proxy-protocol.ts';
import { TlsHandshake } from './tls/tls-handshake.ts';
import type { TlsSettings } from './tls/tls-settings.ts';

/** First byte of a TLS record that carries a handshake (RFC 8446 section 5.1). */
const TLS_HANDSHAKE = 0x16;

export class Handshakes {
  readonly #proxyProtocol: ProxyProtocolPolicy | undefined;
  readonly #tls: TlsSettings | undefined;

  /** The handshakes of an endpoint, or undefined when it has none. */
  static of({ proxyProtocol, tls }: Endpoint): Handshakes | undefined {
    return proxyProtocol === undefined && tls === undefined ? undefined : new Handshakes(proxyProtocol, tls);
  }

  private constructor(proxyProtocol: ProxyProtocolPolicy | undefined, tls: TlsSettings | undefined) {
    this.#proxyProtocol = proxyProtocol;
    this.#tls = tls;
  }

  /** Before the filter: learns who the client is. Throws as {@link readProxyHeader} does. */
  async learnAddress(stream: Stream): Promise<void> {
    if (this.#proxyProtocol !== undefined) await readProxyHeader(stream, this.#proxyProtocol);
  }

  /**
   * After the filter: resolves when the application may have the stream, or the one that has taken its place. Throws as
   * {@link TlsHandshake.done} does; the caller closes the stream that is current then.
   *
   * @param onReplaced called with the encrypted stream, before its handshake is complete.
   */
  async secure(stream: Stream, onReplaced: (secured: Stream) => void): Promise<void> {
    const settings = this.#tls;
    if (settings === undefined) return;
    if (settings.options.plaintext === 'allow' && !(await beginsWithTls(stream, settings))) return;
    const handshake = new TlsHandshake(stream, settings);
    onReplaced(handshake.stream);
    await handshake.done;
  }
}

function beginsWithTls(stream: Stream, { options }: TlsSettings): Promise<boolean> {
  const ms = options.handshakeTimeoutMs;
  const error = (): CirqueError => CirqueError.downstream('TLSHandshakeTimedout', `no byte within ${ms} ms`);
  return readFirst(stream.duplex, (bytes) => ({ value: bytes[0] === TLS_HANDSHAKE, used: 0 }), { ms, error });
}
