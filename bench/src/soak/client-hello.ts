/**
 * The first bytes of a TLS handshake as Node sends them, for clients that send no more.
 */
import { Duplex } from 'node:stream';
import { connect } from 'node:tls';

/** A ClientHello in latin1, so that a script can carry it. */
export function clientHello(): Promise<string> {
  return new Promise((resolve) => {
    const wire = new Duplex({
      read: () => undefined,
      write(bytes: Buffer, _encoding, done) {
        resolve(bytes.toString('latin1'));
        done();
        socket.destroy();
      },
    });
    const socket = connect({ socket: wire, rejectUnauthorized: false });
    socket.on('error', () => undefined);
  });
}
