/**
 * A listening socket that belongs to us, whatever its transport.
 */
import type { ListenOptions, Server } from 'node:net';
import type { Address, InetAddress } from '@cirque/transport';
import type { SocketRecord } from '../sockets/socket-record.ts';

/** Begins to accept on a socket, at once. Answers what ends that. */
export type Attach = () => () => void;

/** A socket that listens. */
export interface BoundListener {
  readonly server: Server;
  /** The real address: port 0 is replaced by the port that the system chose. */
  readonly address: Address;
  /** What a successor or another thread must know of it; the descriptor is open until {@link close}. */
  readonly record: SocketRecord;
  /** Whoever accepts begins by this, where it may have to make room for somebody else later. */
  serve?(attach: Attach): void;
  /** Stops listening at once and removes what listening left in the file system. Accepted connections stay. */
  close(): void;
}

/** What a listener is told about its surroundings. */
export interface ListenerPlace {
  /** The name of its service. Default: empty. */
  readonly service?: string;
  /** Several threads listen on the same address. Default false. */
  readonly reusePort?: boolean;
  /** The address that port 0 stands for, where another thread was given one already. */
  readonly resolved?: InetAddress | undefined;
  /** True: a server that answers on the path of a unix socket is the one whose place this one takes. Default false. */
  readonly takesPath?: boolean;
  /** Asked when a unix socket closes: true removes its path. Default: yes. */
  readonly ownsPath?: () => boolean;
}

/** `server.listen` as a promise, for an address. */
export function listen(server: Server, options: ListenOptions): Promise<void> {
  return listening(server, (done) => void server.listen(options, done));
}

/** `server.listen` as a promise, for a descriptor. Node.js reads the backlog of the second argument only there. */
export function listenOnDescriptor(server: Server, fd: number, backlog: number): Promise<void> {
  return listening(server, (done) => void server.listen({ fd }, backlog, done));
}

function listening(server: Server, start: (done: () => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    start(() => {
      server.off('error', reject);
      resolve();
    });
  });
}
