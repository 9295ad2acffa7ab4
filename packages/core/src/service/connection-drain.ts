/**
 * How the connections of a service come to their end when it stops: the application is told, tunnels get a time of their
 * own, what is left at the end is cut.
 */
import { CirqueError } from '@cirque/error';
import type { Stream } from '@cirque/transport';
import type { ServerApp } from '../app/server-app.ts';
import type { ServiceConnections } from '../listeners/service-connections.ts';
import type { Logger } from '../logger.ts';
import { aborted } from './aborted.ts';

/** The end of the connections of one service. */
export class ConnectionDrain {
  readonly #app: ServerApp;
  readonly #connections: ServiceConnections;
  readonly #logger: Logger;
  #tunnelTimer: NodeJS.Timeout | undefined;

  constructor(app: ServerApp, connections: ServiceConnections, logger: Logger) {
    this.#app = app;
    this.#connections = connections;
    this.#logger = logger;
  }

  /** Tells the application of each connection that it should end, and after `tunnelMs` that tunnels must. */
  begin(tunnelMs: number): void {
    this.#each((stream) => this.#app.shutdownConnection?.(stream));
    if (this.#app.shutdownTunnels === undefined) return;
    this.#tunnelTimer = setTimeout(() => this.#each((stream) => this.#app.shutdownTunnels?.(stream)), tunnelMs);
  }

  /** Resolves when no connection is open. When `fast` is aborted those that are left are destroyed. */
  async end(fast: AbortSignal): Promise<void> {
    const { open } = this.#connections;
    await Promise.race([open.empty(), aborted(fast)]);
    clearTimeout(this.#tunnelTimer);
    open.destroyAll();
    await open.empty();
  }

  #each(act: (stream: Stream) => void): void {
    for (const stream of this.#connections.served()) {
      if (stream.destroyed) continue;
      try {
        act(stream);
      } catch (error) {
        this.#logger.error({ err: CirqueError.from(error, 'InternalError') }, 'a connection could not be shut down');
        stream.destroy();
      }
    }
  }
}
