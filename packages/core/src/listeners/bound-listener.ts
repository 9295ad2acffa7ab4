/**
 * A listening socket that belongs to us, whatever its transport.
 */
import type { ListenOptions, Server } from 'node:net';
import type { Address, InetAddress } from '@cirque/transport';
import type { SocketRecord } from '../sockets/socket-record.ts';

/** A socket that listens. */
export interface BoundListener {
  readonly server: Server;
  /** The real address: port 0 is replaced by the port that the system chose. */
  readonly address: Address;
  /** What a successor or another thread must know of it; the descriptor is open until {@link close}. */
  readonly record: SocketRecord;
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
  /** Asked when a unix socket closes: true removes its path. Default: yes. */
  readonly ownsPath?: () => boolean;
}

/** What a server listens on: an address that is bound now, or a descriptor that is bound already. */
export type ListenTarget = ListenOptions | { readonly fd: number; readonly backlog: number };

/** `server.listen` as a promise. */
export function listen(server: Server, target: ListenTarget): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(target, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
