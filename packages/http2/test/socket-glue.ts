/**
 * The little that joins an Http2Connection to a socket: what core and pool do, without time limits. For tests.
 */
import type { Socket } from 'node:net';
import { Http2Connection, type Http2Handler, type Http2Options } from '../src/index.ts';

/** A connection that reads and writes the socket, started. */
export function joinSocket(socket: Socket, handler: Http2Handler, options: Http2Options): Http2Connection {
  const connection = new Http2Connection(
    {
      write: (bytes, done) => socket.write(bytes, done === undefined ? undefined : (): void => done()),
    },
    {
      ...handler,
      onConnectionError(error) {
        handler.onConnectionError(error);
        socket.end();
      },
    },
    options,
  );
  socket.on('data', (bytes: Buffer) => {
    connection.feed(bytes, 0, bytes.length);
    connection.flush();
  });
  socket.on('drain', () => connection.sinkDrained());
  socket.on('close', () => connection.close());
  socket.on('error', () => connection.close());
  connection.start();
  return connection;
}
