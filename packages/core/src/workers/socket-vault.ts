/**
 * Second descriptors of the sockets that worker threads listen on, kept by the main thread: what a worker leaves behind
 * when it dies can be taken over, connections that wait to be accepted included.
 *
 * Needs native calls; without them the vault stays empty, and whoever asks gets nothing.
 */
import type { Sys } from '@cirque/sys';
import type { SocketRecord } from '../sockets/socket-record.ts';

/** The kept sockets of one worker. */
export class SocketVault {
  readonly #sys: Sys | undefined;
  #kept: SocketRecord[] = [];
  #closed = false;

  constructor(sys: Sys | undefined) {
    this.#sys = sys;
  }

  /** What is kept. The descriptors stay ours: duplicate them before use. */
  get sockets(): readonly SocketRecord[] {
    return this.#kept;
  }

  /** Whether anything can be kept. */
  get works(): boolean {
    return this.#sys !== undefined;
  }

  /** Takes descriptors that are ours already, from a predecessor. */
  own(records: readonly SocketRecord[]): void {
    this.#kept.push(...records);
  }

  /** Duplicates the descriptors of a worker, unless some are kept: then they are of the same sockets. */
  keep(records: readonly SocketRecord[]): void {
    const sys = this.#sys;
    if (sys === undefined || this.#closed || this.#kept.length > 0) return;
    this.#kept = records.map((record) => ({ ...record, fd: sys.dup(record.fd) }));
  }

  /** Closes them: without workers that listen too, the sockets are gone then. */
  close(): void {
    this.#closed = true;
    for (const { fd } of this.#kept.splice(0)) this.#sys?.close(fd);
  }
}
