/**
 * Second descriptors of the sockets that worker threads listen on, kept by the main thread: what a worker leaves behind
 * when it dies can be taken over, connections that wait to be accepted included.
 *
 * Needs native calls; without them the vault stays empty, and whoever asks gets nothing.
 */
import { fstatSync } from 'node:fs';
import { type Sys, SysError } from '@cirque/sys';
import type { SocketKind, SocketRecord } from '../sockets/socket-record.ts';
import { closeDescriptor } from '../sockets/socket-table.ts';

/** SOCK_DGRAM, which is the same number on all systems that there are native calls for. */
const DATAGRAMS = 2;

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

  /**
   * Duplicates the descriptors of a worker, but for sockets that are kept already. A worker that has died meanwhile has
   * left numbers which mean nothing, or something else, by now: these are passed over.
   */
  keep(records: readonly SocketRecord[]): void {
    const sys = this.#sys;
    if (sys === undefined || this.#closed) return;
    const known = new Set(this.#kept.map(({ fd }) => fstatSync(fd).ino));
    for (const record of records) {
      const fd = duplicate(sys, record);
      if (fd === undefined) continue;
      const { ino } = fstatSync(fd);
      if (known.has(ino)) closeDescriptor(fd);
      else this.#kept.push({ ...record, fd });
      known.add(ino);
    }
  }

  /** Closes them: without workers that listen too, the sockets are gone then. */
  close(): void {
    this.#closed = true;
    for (const { fd } of this.#kept.splice(0)) this.#sys?.close(fd);
  }
}

function duplicate(sys: Sys, { kind, fd }: SocketRecord): number | undefined {
  try {
    const copy = sys.dup(fd);
    if (isOfKind(sys, kind, copy)) return copy;
    sys.close(copy);
    return undefined;
  } catch (error) {
    if (error instanceof SysError && error.code === 'EBADF') return undefined;
    throw error;
  }
}

/** Connections and files do not listen. */
function isOfKind(sys: Sys, kind: SocketKind, fd: number): boolean {
  if (!fstatSync(fd).isSocket()) return false;
  return kind === 'udp'
    ? sys.getSocketOption(fd, 'SO_TYPE') === DATAGRAMS
    : sys.getSocketOption(fd, 'SO_ACCEPTCONN') === 1;
}
