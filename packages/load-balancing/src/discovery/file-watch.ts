/**
 * Notices that a file has become another one: rewritten, replaced by a rename, or reached through another symbolic link.
 *
 * Watches the folder, as a watch on the file would stay with the old one after a rename; an event only makes it look. Looks
 * at intervals as well, since events get lost, and network file systems have none.
 */
import { type BigIntStats, type FSWatcher, watch } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { Timer, type TimerWheel } from '@cirque/timeout';

/** How to watch. */
export interface FileWatchOptions {
  readonly events: boolean;
  /** 0: only when told. */
  readonly pollMs: number;
  /** From an event to the look. */
  readonly settleMs: number;
  readonly wheel: TimerWheel;
  /** Is this a version that is not known yet? Undefined: there is no file. */
  isNews(version: string | undefined): boolean;
}

/** Two looks at a file give the same text when it is the same file with the same content. */
export function versionOf({ dev, ino, mtimeNs, size }: BigIntStats): string {
  return `${dev}:${ino}:${size}:${mtimeNs}`;
}

/** Watches one file until its signal aborts. Does not keep the process alive. */
export class FileWatch {
  readonly #path: string;
  readonly #folder: string;
  readonly #options: FileWatchOptions;
  readonly #changed: () => void;
  readonly #settle: Timer;
  readonly #poll: Timer;
  #watcher: FSWatcher | undefined;
  /** The folder that is watched: another one may have come in its place. */
  #watched = '';
  #ended = false;

  constructor(path: string, options: FileWatchOptions, changed: () => void) {
    this.#path = path;
    this.#folder = dirname(path);
    this.#options = options;
    this.#changed = changed;
    this.#settle = new Timer(() => void this.#check(), options.wheel);
    this.#poll = new Timer(() => void this.#onPoll(), options.wheel);
  }

  /** Begins, and ends with the signal. */
  start(signal: AbortSignal): void {
    if (signal.aborted) return;
    signal.addEventListener('abort', () => this.#end(), { once: true });
    void this.#onPoll();
  }

  async #onPoll(): Promise<void> {
    await this.#check();
    if (!this.#ended && this.#options.pollMs > 0) this.#poll.set(this.#options.pollMs);
  }

  async #check(): Promise<void> {
    if (this.#options.events) await this.#watchFolder();
    const version = await versionAt(this.#path);
    if (!this.#ended && this.#options.isNews(version)) this.#changed();
  }

  /** Does nothing when it is watched already, and tries again at the next look when it cannot be. */
  async #watchFolder(): Promise<void> {
    const folder = await identityOf(this.#folder);
    if (this.#ended || (this.#watcher !== undefined && folder === this.#watched)) return;
    this.#watcher?.close();
    this.#watcher = undefined;
    if (folder === undefined) return;
    try {
      this.#watcher = watch(this.#folder, { persistent: false }, (_, name) => this.#onEvent(name));
      this.#watcher.on('error', () => this.#unwatch());
      this.#watched = folder;
    } catch {
      this.#unwatch();
    }
  }

  /** The first of several events counts, as in a busy folder the last one may never come. */
  #onEvent(name: string | null): void {
    // It may be the folder itself that is gone: a new one can have the number of the old one.
    if (name === null || name === basename(this.#folder)) this.#watched = '';
    if (!this.#ended && !this.#settle.armed) this.#settle.set(this.#options.settleMs);
  }

  #unwatch(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
  }

  #end(): void {
    this.#ended = true;
    this.#settle.close();
    this.#poll.close();
    this.#unwatch();
  }
}

async function versionAt(path: string): Promise<string | undefined> {
  try {
    return versionOf(await stat(path, { bigint: true }));
  } catch {
    return undefined;
  }
}

async function identityOf(folder: string): Promise<string | undefined> {
  try {
    const { dev, ino, birthtimeNs } = await stat(folder, { bigint: true });
    return `${dev}:${ino}:${birthtimeNs}`;
  } catch {
    return undefined;
  }
}
