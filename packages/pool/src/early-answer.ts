/**
 * Lets a connection be read after a write to it has failed.
 *
 * An upstream that answers before it has the whole request (413, 401) and closes, resets the connection under the rest of
 * the request; its answer has arrived by then. Node destroys a socket whose write failed, and with it what was received
 * (measured on 22, 24 and 26: of 300 such answers it shows none, with this all). As in Pingora, a failed write ends the
 * sending only.
 */
import { Socket } from 'node:net';
import type { Stream, StreamHandler } from '@cirque/transport';

/** How long an answer may take after the failed write; what there is of it lies in the socket already. */
export const EARLY_ANSWER_MS = 200;

/** A handler that may want to read on. */
export interface ReadsOn {
  /** A write has failed. True keeps the connection open for reading; its end is not reported, only errors are. */
  onWriteError(error: Error): boolean;
}

/** What is known of a socket whose handler is asked. */
interface Asking {
  /** Undefined once it was asked. */
  [kStream]: Pick<Stream, 'handler'> | undefined;
}

const kStream: unique symbol = Symbol('cirque.early-answer.stream');

/**
 * From now on the stream's handler is asked, once, before a failed write closes the socket.
 *
 * For sockets with callback reads: Node delivers nothing else of a stream that has failed.
 */
export function keepReadable(socket: Socket, stream: Pick<Stream, 'handler'>): void {
  (socket as Socket & Asking)[kStream] = stream;
  socket.destroy = destroyUnlessReadable;
}

/**
 * One function for all sockets. Measured: a closure for each makes the garbage of short connections outlive the young
 * generation, which is 5 us of collection for every connection.
 */
function destroyUnlessReadable(this: Socket, error?: Error): Socket {
  if (isWriteError(error)) {
    const handler = (this as Socket & Asking)[kStream]?.handler as (StreamHandler & Partial<ReadsOn>) | undefined;
    (this as Socket & Asking)[kStream] = undefined;
    if (handler?.onWriteError?.(error) === true) return this;
  }
  return Socket.prototype.destroy.call(this, error);
}

function isWriteError(error: (Error & { syscall?: unknown }) | undefined): error is Error {
  return error?.syscall === 'write';
}
