/**
 * Turns the connections of a listening `net.Server` into streams.
 *
 * `net.createServer` offers no `onread`, so the fast form takes the accepted handle over before Node wraps it and
 * builds the socket itself. That touches two underscored properties; the first connection proves that the runtime
 * still works that way, and if not, the server goes back to its own 'connection' event with 'data' reads.
 */
import { type Server, Socket, type SocketConstructorOpts } from 'node:net';
import { type CirqueError, fromNodeError } from '@cirque/error';
import { applySocketOptions, type TcpKeepAlive } from './socket-options.ts';
import { acceptOnread, Stream } from './stream.ts';

/** How accepted connections are prepared. */
export interface AcceptOptions {
  /**
   * `callback`: the owner reads through a StreamHandler (fastest). `duplex`: the stream's Node duplex is unread, for
   * `pipe` and `for await`. Default `callback`.
   */
  readonly reads?: 'callback' | 'duplex';
  readonly keepAlive?: TcpKeepAlive;
}

interface Handle {
  onconnection: ((this: unknown, status: number, client: ClientHandle | undefined) => void) | undefined;
}
interface ClientHandle {
  setNoDelay?: (on: boolean) => void;
  setKeepAlive?: (on: boolean, seconds: number) => void;
}

/**
 * Starts to hand connections of `server` over. Call it once, when the server is listening.
 *
 * @param onStream called for each connection, before anything is read.
 * @param onError called when accepting one failed (EMFILE, ECONNABORTED); the listener goes on.
 */
export function acceptStreams(
  server: Server,
  options: AcceptOptions,
  onStream: (stream: Stream) => void,
  onError: (error: CirqueError) => void,
): void {
  server.on('connection', (socket) => {
    applySocketOptions(socket, options.keepAlive);
    onStream(new Stream(socket, 'Downstream'));
  });
  if (options.reads === 'duplex') return;
  const handle = (server as unknown as { _handle: Handle | null })._handle;
  const original = handle?.onconnection;
  if (handle === null || typeof original !== 'function') return;
  const keepAliveSeconds =
    options.keepAlive === undefined ? 0 : Math.max(1, Math.floor(options.keepAlive.idleMs / 1000));
  handle.onconnection = function onconnection(status, client) {
    if (status !== 0 || client === undefined) {
      onError(acceptError(status));
      return;
    }
    const socket = adopt(client);
    if (socket === undefined) {
      handle.onconnection = original;
      original.call(this, status, client);
      return;
    }
    client.setNoDelay?.(true);
    if (keepAliveSeconds > 0) client.setKeepAlive?.(true, keepAliveSeconds);
    onStream(new Stream(socket, 'Downstream', true));
  };
}

let adoptable: boolean | undefined;

/** Builds a socket with callback reads on an accepted handle; undefined where the runtime does not support it. */
function adopt(handle: ClientHandle): Socket | undefined {
  if (adoptable === false) return undefined;
  const options = {
    handle,
    onread: acceptOnread,
    allowHalfOpen: true,
    manualStart: true,
    readable: true,
    writable: true,
  };
  const socket = new Socket(options as unknown as SocketConstructorOpts);
  if (adoptable === undefined) {
    adoptable = hasCallbackReads(socket, handle);
    if (!adoptable) (socket as unknown as { _handle: unknown })._handle = null;
  }
  return adoptable ? socket : undefined;
}

// Node keeps the user's buffer and callback under symbols of these names once it has accepted the onread option.
function hasCallbackReads(socket: Socket, handle: ClientHandle): boolean {
  const own = socket as unknown as Record<symbol, unknown> & { _handle: unknown };
  const named = new Map(Object.getOwnPropertySymbols(socket).map((symbol) => [symbol.description, own[symbol]]));
  return (
    own._handle === handle &&
    named.get('kBuffer') === acceptOnread.buffer &&
    named.get('kBufferCb') === acceptOnread.callback
  );
}

function acceptError(status: number): CirqueError {
  const cause = Object.assign(new Error(`accept failed with status ${status}`), { errno: status });
  return fromNodeError(cause, 'accept', 'Internal', 'accepting a connection');
}
