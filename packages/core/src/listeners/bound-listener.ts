/**
 * A listening socket that belongs to us, whatever its transport.
 */
import type { ListenOptions, Server } from 'node:net';
import type { Address } from '@cirque/transport';

/** A socket that listens. */
export interface BoundListener {
  readonly server: Server;
  /** The real address: port 0 is replaced by the port that the system chose. */
  readonly address: Address;
  /** Stops listening at once and removes what listening left in the file system. Accepted connections stay. */
  close(): void;
}

/** `server.listen` as a promise. */
export function listen(server: Server, options: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(options, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
