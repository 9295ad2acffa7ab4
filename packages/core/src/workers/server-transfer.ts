/**
 * Moves listening sockets from a thread to the one that takes its place, with the connections that wait in their queues:
 * without native calls there is no other way to lose none. Node.js 24.21, 26.6 and later can, for TCP.
 */
import { createServer, type Server } from 'node:net';
import { MessageChannel, type MessagePort, type Transferable } from 'node:worker_threads';
import type { SocketRecord } from '../sockets/socket-record.ts';
import type { WorkerThread } from './worker-thread.ts';

/** A server on its way. Its thread must be ready for connections as soon as it arrives. */
export interface MovedServer {
  readonly server: Server;
  readonly record: SocketRecord;
}

const LAST = 'that was the last one';

let supported: boolean | undefined;

/** Whether this runtime can move servers: found out by trying with one that does not listen. */
export function canMoveServers(): boolean {
  supported ??= tryToMove();
  return supported;
}

function tryToMove(): boolean {
  const { port1 } = new MessageChannel();
  const server = createServer();
  try {
    port1.postMessage(server, [server as unknown as Transferable]);
    return true;
  } catch (error) {
    // As it does not listen it may be refused, but not as something unknown.
    return (error as NodeJS.ErrnoException).code === 'ERR_WORKER_HANDLE_NOT_TRANSFERABLE';
  } finally {
    port1.close();
  }
}

/** For the main thread: lets `old` send its servers to `next`. Answers what `next` listens on then. */
export async function moveServers(old: WorkerThread, next: WorkerThread): Promise<readonly SocketRecord[]> {
  const { port1, port2 } = new MessageChannel();
  const received = next.call<readonly SocketRecord[]>('receive', { port: port2 }, [port2]);
  await Promise.all([old.call('surrender', { port: port1 }, [port1]), received]);
  return received;
}

/** For the old thread. Closes the port. */
export function sendServers(port: MessagePort, servers: Iterable<MovedServer>): void {
  for (const moved of servers) port.postMessage(moved, [moved.server as unknown as Transferable]);
  port.postMessage(LAST);
  port.close();
}

/** For the new thread: `serve` is called with each. Rejects when the old thread ends before the last one. */
export function receiveServers(port: MessagePort, serve: (moved: MovedServer) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    port.on('message', (message: MovedServer | typeof LAST) => {
      if (message === LAST) resolve();
      else attempt(() => serve(message), reject);
    });
    port.on('close', () => reject(new Error('the thread that moved its servers ended before the last one')));
  });
}

function attempt(act: () => void, onError: (error: unknown) => void): void {
  try {
    act();
  } catch (error) {
    onError(error);
  }
}
