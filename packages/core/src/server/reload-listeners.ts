/**
 * Who else has something to read again when the server is told to.
 */
import type { MaybePromise } from '../app/server-app.ts';
import type { Logger } from '../logger.ts';

/** Called on a reload. A promise is awaited; rejecting is logged. */
export type ReloadListener = () => MaybePromise<void>;

/** The listeners of one server, called one after the other. */
export class ReloadListeners {
  readonly #listeners: Set<ReloadListener> = new Set();

  /** Adds a listener; the result removes it. */
  add(listener: ReloadListener): () => void {
    const entry: ReloadListener = () => listener();
    this.#listeners.add(entry);
    return () => void this.#listeners.delete(entry);
  }

  /** Calls all of them, whatever becomes of those before. Never rejects. */
  async call(logger: Logger): Promise<void> {
    for (const listener of [...this.#listeners]) {
      try {
        await listener();
      } catch (error) {
        logger.error({ err: error }, 'reload failed; what ran before goes on');
      }
    }
  }
}
