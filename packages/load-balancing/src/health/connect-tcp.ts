/**
 * Opens one TCP or unix-domain connection for a health check.
 */
import { connect, type Socket } from 'node:net';
import { CirqueError, fromNodeError } from '@cirque/error';
import { type Address, formatAddress, isUnixAddress } from '@cirque/transport';
import { boundedCall } from '../bounded-call.ts';
import type { TimeSource } from '../time-source.ts';

/** How long to try. */
export interface ConnectOptions {
  readonly timeoutMs: number;
  readonly time: TimeSource;
  readonly signal?: AbortSignal | undefined;
}

/**
 * A connected socket, which is the caller's to destroy. Names are resolved, and their addresses tried in turn.
 * Rejects with the system's reason, with ConnectTimedout, or with the signal's reason; no socket is left then.
 */
export function connectTcp(address: Address, options: ConnectOptions): Promise<Socket> {
  const { signal, time, timeoutMs } = options;
  return boundedCall((aborted) => open(address, aborted), {
    timeoutMs,
    signal,
    wheel: time.wheel,
    onTimeout: () => CirqueError.upstream('ConnectTimedout', `${formatAddress(address)} after ${timeoutMs} ms`),
  });
}

function open(address: Address, aborted: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(
      isUnixAddress(address) ? { path: address.path } : { host: address.host, port: address.port },
    );
    const giveUp = (): void => {
      socket.destroy();
    };
    aborted.addEventListener('abort', giveUp);
    // Stays: an error between here and the next owner's listener must not be an uncaught one.
    socket.on('error', (error) => {
      aborted.removeEventListener('abort', giveUp);
      reject(fromNodeError(error, 'connect', 'Upstream', formatAddress(address)));
    });
    socket.once('connect', () => {
      aborted.removeEventListener('abort', giveUp);
      if (!isSelf(socket)) {
        resolve(socket);
        return;
      }
      socket.destroy();
      reject(CirqueError.upstream('ConnectRefused', `${formatAddress(address)} is nobody but this connection itself`));
    });
  });
}

/**
 * A port of this host that nobody listens on can be the one the kernel gives to our end; then the socket connects to
 * itself. Checks of dead local backends in the ephemeral range meet this one time in some ten thousand.
 */
function isSelf(socket: Socket): boolean {
  return (
    socket.localPort !== undefined &&
    socket.localPort === socket.remotePort &&
    socket.localAddress === socket.remoteAddress
  );
}
