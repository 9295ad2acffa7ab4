/**
 * The first bytes of a TLS handshake as Node sends them, for clients that send no more.
 */
import { Duplex } from 'node:stream';
import { connect } from 'node:tls';

/** A ClientHello in latin1, so that a script can carry it; with a server name where one is given. */
export function clientHello(servername?: string): Promise<string> {
  return new Promise((resolve) => {
    const wire = new Duplex({
      read: () => undefined,
      write(bytes: Buffer) {
        resolve(bytes.toString('latin1'));
        // Ends the client, which has said all that is wanted.
        wire.destroy();
      },
    });
    connect({ socket: wire, rejectUnauthorized: false, ...(servername === undefined ? {} : { servername }) }).on(
      'error',
      () => undefined,
    );
  });
}
