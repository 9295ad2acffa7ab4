/**
 * A wire socket that may be one with TLS: RST then breaks the TCP connection underneath.
 */
import { connect, type Socket } from 'node:net';
import { connect as connectTls, createSecureContext, type SecureContext, TLSSocket } from 'node:tls';
import { makeCa } from '@cirque/testing';
import type { Version } from './fault.ts';
import { WireSocket } from './wire-socket.ts';

/** The name in the certificates of both sides. */
export const SITE_NAME = 'site.test';
export const authority: { readonly cert: string } & ReturnType<typeof makeCa> = makeCa('Fault Root');
export const certificate: { readonly cert: string; readonly key: string } = authority.issue({ names: [SITE_NAME] });

let context: SecureContext | undefined;

const ALPN: Readonly<Record<Version, string>> = { h1: 'http/1.1', h2: 'h2' };

export class FaultSocket extends WireSocket {
  readonly #socket: Socket;
  readonly #carrier: Socket | undefined;

  constructor(socket: Socket, carrier?: Socket) {
    super(socket);
    this.#socket = socket;
    this.#carrier = carrier;
  }

  /** Takes an accepted connection; with TLS the handshake goes on meanwhile. */
  static accepted(socket: Socket, version: Version, tls: boolean): FaultSocket {
    if (!tls) return new FaultSocket(socket);
    context ??= createSecureContext(certificate);
    const options = { isServer: true, secureContext: context, ALPNProtocols: [ALPN[version]] };
    return new FaultSocket(new TLSSocket(socket, options), socket);
  }

  /** Connects to the proxy; with TLS it is ready after the handshake. */
  static async connect(port: number, version: Version, tls: boolean): Promise<FaultSocket> {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    await ready(socket, 'connect');
    if (!tls) return new FaultSocket(socket);
    const names = { servername: SITE_NAME, ca: authority.cert, ALPNProtocols: [ALPN[version]] };
    const secure = connectTls({ socket, ...names });
    await ready(secure, 'secureConnect');
    return new FaultSocket(secure, socket);
  }

  override reset(): void {
    if (this.#carrier === undefined) {
      super.reset();
      return;
    }
    // Node can only reset the socket underneath, and not before TLS has let go of it: this tells it how to close.
    (this.#carrier as { resetAndClosing?: boolean }).resetAndClosing = true;
    this.#socket.destroy();
  }
}

function ready(socket: Socket, event: 'connect' | 'secureConnect'): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.once('error', reject);
  socket.once(event, () => {
    socket.off('error', reject);
    resolve();
  });
  return promise;
}
