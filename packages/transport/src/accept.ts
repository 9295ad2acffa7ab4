/**
 * Turns the connections of a listening `net.Server` into streams.
 *
 * `net.createServer` offers no `onread`, so the fast form takes the accepted handle over before Node wraps it and
 * builds the socket itself. That touches two underscored properties; a probe finds out beforehand whether the runtime
 * still works that way, and if not, the server keeps to its own 'connection' event with 'data' reads.
 */
import { type Server, Socket, type SocketConstructorOpts } from 'node:net';
import { constants } from 'node:os';
import { getSystemErrorName } from 'node:util';
import { type CirqueError, fromNodeError } from '@cirque/error';
import { applySocketOptions, type NodeSocketOptions } from './socket-options.ts';
import { acceptOnread, type OnreadOption, Stream, switchableOnread } from './stream.ts';

/** How accepted connections are prepared. */
export interface AcceptOptions extends NodeSocketOptions {
  /**
   * `callback`: the owner reads through a StreamHandler (fastest). `leased`: the same, and `largeReads` of the stream works, for
   * those who pass large amounts on. `duplex`: the stream's Node duplex is unread, for `pipe` and `for await`. Default
   * `callback`.
   */
  readonly reads?: 'callback' | 'leased' | 'duplex';
  /**
   * Connections whose file descriptor is above this number are closed as they come, and told to `onError` as EMFILE: so
   * that some descriptors are left for everything else. Default: no limit. (When none is left at all, libuv closes
   * connections by itself, and nobody hears of it.)
   */
  readonly maxDescriptor?: number | undefined;
}

/** The handle of an accepted connection. */
interface ClientHandle {
  /** Missing, or -1, where the system has none. */
  readonly fd?: number;
  close(): void;
}

/** As the system calls of libuv report it. */
const EMFILE = -constants.errno.EMFILE;

interface ServerHandle {
  onconnection: ((this: unknown, status: number, client: ClientHandle | undefined) => void) | undefined;
}

/**
 * Starts to hand connections of `server` over. Call it when the server is listening.
 *
 * Streams of the fast form are not counted by the server: `server.close` does not wait for them, `maxConnections` and
 * `getConnections` do not know them. Count them yourself, as `onClose` tells when each is gone.
 *
 * @param onStream called for each connection, before anything is read.
 * @param onError called when accepting one failed (EMFILE, ECONNABORTED); the listener goes on. In the portable form
 *   such errors are 'error' events of the server.
 * @returns ends that, so that somebody else may take its place: called together with it in one turn of the event loop, no
 *   connection is missed. Without anybody in its place connections are accepted, and left alone.
 */
export function acceptStreams(
  server: Server,
  options: AcceptOptions,
  onStream: (stream: Stream) => void,
  onError: (error: CirqueError) => void,
): () => void {
  const { maxDescriptor = Number.POSITIVE_INFINITY, keepAlive, dscp } = options;
  const socketOptions = keepAlive === undefined && dscp === undefined ? undefined : { keepAlive, dscp };
  const onConnection = (socket: Socket): void => {
    const { _handle: client } = socket as unknown as { _handle: ClientHandle | null };
    if (client?.fd !== undefined && client.fd > maxDescriptor) {
      socket.destroy();
      onError(tooManyDescriptors(maxDescriptor));
      return;
    }
    // Whatever the server was made with: a client that has sent everything may still be waiting for its answer.
    socket.allowHalfOpen = true;
    applySocketOptions(socket, socketOptions);
    onStream(new Stream(socket, 'Downstream'));
  };
  server.on('connection', onConnection);
  const end = (): void => void server.off('connection', onConnection);
  if (options.reads === 'duplex') return end;
  const handle = (server as unknown as { _handle: ServerHandle | null })._handle;
  const before = handle?.onconnection;
  if (handle === null || typeof before !== 'function' || !canAdopt()) return end;
  handle.onconnection = function onconnection(status, client) {
    if (status !== 0 || client === undefined) {
      onError(acceptError(status));
      return;
    }
    if (client.fd !== undefined && client.fd > maxDescriptor) {
      client.close();
      onError(tooManyDescriptors(maxDescriptor));
      return;
    }
    const stream = options.reads === 'leased' ? leasedStream(client) : new Stream(adopt(client), 'Downstream', true);
    applySocketOptions(stream.duplex as Socket, socketOptions);
    onStream(stream);
  };
  return () => {
    handle.onconnection = before;
    end();
  };
}

/** A stream whose reads may switch to leased buffers; costs a closure more. */
function leasedStream(client: ClientHandle): Stream {
  let stream: Stream | undefined;
  stream = new Stream(
    adopt(
      client,
      switchableOnread(() => stream),
    ),
    'Downstream',
    true,
  );
  return stream;
}

/** Builds a socket with callback reads on an accepted handle; reading starts with its first `resume`. */
function adopt(handle: object, onread: OnreadOption = acceptOnread): Socket {
  const options = {
    handle,
    onread,
    allowHalfOpen: true,
    manualStart: true,
    readable: true,
    writable: true,
  };
  return new Socket(options as unknown as SocketConstructorOpts);
}

let adoptable: boolean | undefined;

/**
 * Tells whether this runtime builds sockets on handles, by giving it one that only notes what is done to it: no
 * client pays for the answer no.
 */
function canAdopt(): boolean {
  if (adoptable !== undefined) return adoptable;
  let buffer: unknown;
  const probe = {
    onread: undefined,
    useUserBuffer(given: unknown): void {
      buffer = given;
    },
  };
  try {
    const socket = adopt(probe) as unknown as { _handle: unknown };
    adoptable = socket._handle === probe && buffer === acceptOnread.buffer && typeof probe.onread === 'function';
    socket._handle = null;
  } catch {
    adoptable = false;
  }
  return adoptable;
}

function acceptError(status: number, context = 'accepting a connection'): CirqueError {
  const code = getSystemErrorName(status);
  const cause = Object.assign(new Error(`accept ${code}`), { errno: status, code, syscall: 'accept' });
  return fromNodeError(cause, 'accept', 'Internal', context);
}

function tooManyDescriptors(max: number): CirqueError {
  return acceptError(EMFILE, `closed a connection, as the descriptors above ${max} are kept free`);
}
