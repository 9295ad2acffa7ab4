/**
 * Lets a connection be read after a write to it has failed.
 *
 * An upstream that answers before it has the whole request (413, 401) and closes, resets the connection under the rest of
 * the request; its answer has arrived by then. Node destroys a socket whose write failed, and with it what was received
 * (measured on 22, 24 and 26: of 300 such answers it shows none, with this all). As in Pingora, a failed write ends the
 * sending only.
 */
import type { Socket } from 'node:net';
import type { StreamHandler } from '@cirque/transport';

/** How long an answer may take after the failed write; what there is of it lies in the socket already. */
export const EARLY_ANSWER_MS = 200;

/** A handler that may want to read on. */
export interface ReadsOn {
  /** A write has failed. True keeps the connection open for reading; its end is not reported, only errors are. */
  onWriteError(error: Error): boolean;
}

/**
 * From now on the handler is asked before a failed write closes the socket.
 *
 * For sockets with callback reads: Node delivers nothing else of a stream that has failed.
 */
export function keepReadable(socket: Socket, handler: () => StreamHandler & Partial<ReadsOn>): void {
  const destroy = socket.destroy;
  let failed = false;
  socket.destroy = function destroyUnlessReadable(error?: Error): Socket {
    if (!failed && isWriteError(error)) {
      failed = true;
      if (handler().onWriteError?.(error) === true) return socket;
    }
    return destroy.call(socket, error);
  };
}

function isWriteError(error: (Error & { syscall?: unknown }) | undefined): error is Error {
  return error?.syscall === 'write';
}
