/**
 * Discovery from a file, which is read again whenever it changes.
 *
 * How a list is written: backend-entries.ts; how changes are noticed: file-watch.ts.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { CirqueError } from '@cirque/error';
import { integerOption } from '../number-option.ts';
import { abortable, runInSlices } from '../run-in-slices.ts';
import { realTime, type TimeSource } from '../time-source.ts';
import { type ListFormat, readBackendList } from './backend-entries.ts';
import type { Discovered, ServiceDiscovery } from './discovery.ts';
import { FileWatch, versionOf } from './file-watch.ts';

/** Everything has a default. */
export interface FileDiscoveryOptions {
  /** Default `json` for names that end in `.json`, else `lines`. */
  readonly format?: ListFormat | undefined;
  /** An empty list removes all backends. Default false: it is an error, and the backends stay. */
  readonly allowEmpty?: boolean | undefined;
  /** The system tells of changes in the folder of the file. Default true; network file systems have no such events. */
  readonly events?: boolean | undefined;
  /** Looks at the file so often, whatever the system tells. Default 5,000; 0: never. */
  readonly pollMs?: number | undefined;
  /** Time from an event to looking at the file, for writers to come to an end. Default 100. */
  readonly settleMs?: number | undefined;
  /** A longer file is an error. Default 67,108,864 (64 MiB). */
  readonly maxBytes?: number | undefined;
  /** For tests: the clock and the timers. */
  readonly time?: TimeSource | undefined;
}

/**
 * The backends that a file lists. Write it beside and rename it: so nobody reads a half of it. A file that is missing,
 * cannot be read or understood, or changes while it is read, is an error: the balancer keeps its backends, and says why.
 *
 * Throws TypeError or RangeError, naming the option, for values that cannot work.
 */
export class FileDiscovery implements ServiceDiscovery {
  readonly path: string;
  readonly #format: ListFormat;
  readonly #allowEmpty: boolean;
  readonly #maxBytes: number;
  readonly #watch: ConstructorParameters<typeof FileWatch>[1];
  /** Of the file that was read last, undefined for a missing one. */
  #seen: string | undefined;
  #hasRead = false;

  constructor(path: string, options: FileDiscoveryOptions = {}) {
    if (typeof path !== 'string' || path === '')
      throw new TypeError(`path must be that of a file, got ${String(path)}`);
    const { allowEmpty = false, events = true, format = path.endsWith('.json') ? 'json' : 'lines' } = options;
    if (format !== 'json' && format !== 'lines') {
      throw new TypeError(`format must be 'json' or 'lines', got ${String(format)}`);
    }
    this.path = path;
    this.#format = format;
    this.#allowEmpty = allowEmpty;
    this.#maxBytes = integerOption('maxBytes', options.maxBytes, 67_108_864, 1, 536_870_912);
    const pollMs = integerOption('pollMs', options.pollMs, 5_000, 0);
    const settleMs = integerOption('settleMs', options.settleMs, 100, 1);
    if (!events && pollMs === 0)
      throw new RangeError('pollMs is 0 and events is false: no change would ever be noticed');
    const isNews = (version: string | undefined): boolean => this.#hasRead && version !== this.#seen;
    this.#watch = { events, pollMs, settleMs, isNews, wheel: (options.time ?? realTime).wheel };
  }

  /** Reads the file. Rejects with the reason, which names the file, and the line or the entry. */
  async discover(signal?: AbortSignal): Promise<Discovered> {
    const text = await this.#read(signal);
    const list = { name: this.path, text, format: this.#format, allowEmpty: this.#allowEmpty };
    return runInSlices(abortable(readBackendList(list), signal));
  }

  /** Calls `changed` when the file has become another one since it was read. */
  watch(changed: () => void, signal: AbortSignal): void {
    new FileWatch(this.path, this.#watch, changed).start(signal);
  }

  async #read(signal: AbortSignal | undefined): Promise<string> {
    let file: FileHandle | undefined;
    try {
      file = await open(this.path, 'r');
      return await this.#readWhole(file, signal);
    } catch (cause) {
      if (file === undefined) this.#seen = undefined;
      throw CirqueError.internal('FileReadError', this.path, cause);
    } finally {
      this.#hasRead = true;
      await file?.close();
    }
  }

  async #readWhole(file: FileHandle, signal: AbortSignal | undefined): Promise<string> {
    const before = await file.stat({ bigint: true });
    this.#seen = versionOf(before);
    if (before.size > this.#maxBytes) throw new RangeError(`it has ${before.size} bytes, more than ${this.#maxBytes}`);
    const text = await file.readFile({ encoding: 'utf8', signal });
    if (versionOf(await file.stat({ bigint: true })) !== this.#seen) throw new Error('it changed while it was read');
    return text;
  }
}
