/**
 * What a running server reads again when it is told to: its configuration, what the program has beside that, certificates.
 */
import type { MaybePromise } from '../app/server-app.ts';
import type { Logger } from '../logger.ts';
import { configurationChanges } from './configuration-changes.ts';
import type { ConfigurationSource } from './configuration-source.ts';
import type { ServerConfiguration } from './server-conf.ts';

/** Called on a reload. A promise is awaited; rejecting is logged. */
export type ReloadListener = () => MaybePromise<void>;

/** What a reload works on. */
export interface ReloaderParts {
  readonly source: ConfigurationSource;
  readonly logger: Logger;
  /** Path of the configuration file, for the log. */
  readonly conf: string | undefined;
  /** The settings as they are. */
  configuration(): ServerConfiguration;
  /** The settings from now on. */
  take(configuration: ServerConfiguration): void;
  /** False in worker threads: listeners are not called there. */
  isMain(): boolean;
  /** Reads the certificates. Never rejects. */
  reloadCertificates(): Promise<void>;
}

/** See the file's head. */
export class Reloader {
  readonly #parts: ReloaderParts;
  readonly #listeners: Set<ReloadListener> = new Set();
  /** Reloads come one after the other. */
  #last: Promise<void> = Promise.resolve();

  constructor(parts: ReloaderParts) {
    this.#parts = parts;
  }

  /** Adds a listener; the result removes it. */
  onReload(listener: ReloadListener): () => void {
    const entry: ReloadListener = () => listener();
    this.#listeners.add(entry);
    return () => void this.#listeners.delete(entry);
  }

  /** See `Server.reload`. Never rejects. */
  run(): Promise<void> {
    this.#last = this.#last.then(() => this.#run());
    return this.#last;
  }

  async #run(): Promise<void> {
    if (this.#readConfiguration() && this.#parts.isMain()) await this.#callListeners();
    await this.#parts.reloadCertificates();
  }

  /** False when the configuration cannot be used. */
  #readConfiguration(): boolean {
    const { source, logger, conf } = this.#parts;
    const facts = conf === undefined ? {} : { conf };
    try {
      const next = source.reload();
      if (next === undefined) return true;
      const { configuration, live, restart } = configurationChanges(this.#parts.configuration(), next);
      this.#parts.take(configuration);
      logger.info({ ...facts, changed: live }, 'configuration read again');
      if (restart.length > 0)
        logger.warn({ ...facts, changed: restart }, 'these settings take effect with the next start or upgrade');
      return true;
    } catch (error) {
      logger.error({ err: error, ...facts }, 'the configuration cannot be used; the old one stays');
      return false;
    }
  }

  /** One after the other, whatever becomes of those before. */
  async #callListeners(): Promise<void> {
    for (const listener of [...this.#listeners]) {
      try {
        await listener();
      } catch (error) {
        this.#parts.logger.error({ err: error }, 'reload failed; what ran before goes on');
      }
    }
  }
}
