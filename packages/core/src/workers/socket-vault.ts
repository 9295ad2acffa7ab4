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
   *
   * @returns whether all of them could be kept.
   */
  keep(records: readonly SocketRecord[]): boolean {
    return this.#keep(records) !== undefined;
  }

  /** The same, and closes what else is kept: nobody would accept there. Not when the worker has died meanwhile. */
  keepOnly(records: readonly SocketRecord[]): void {
    const wanted = this.#keep(records);
    if (wanted !== undefined) this.drop((record) => !wanted.has(identityOf(record, record.fd)));
  }

  /** Closes what nobody will want again. */
  drop(isUnwanted: (record: SocketRecord) => boolean): void {
    const unwanted = this.#kept.filter(isUnwanted);
    this.#kept = this.#kept.filter((record) => !unwanted.includes(record));
    for (const { fd } of unwanted) this.#sys?.close(fd);
  }

  /** The identities of all these, unless one of them is nothing that listens. */
  #keep(records: readonly SocketRecord[]): ReadonlySet<string> | undefined {
    const sys = this.#sys;
    if (sys === undefined || this.#closed) return undefined;
    const known = new Set(this.#kept.map((record) => identityOf(record, record.fd)));
    const wanted = new Set<string>();
    let isComplete = true;
    for (const record of records) {
      const fd = duplicate(sys, record);
      if (fd === undefined) {
        isComplete = false;
        continue;
      }
      const identity = identityOf(record, fd);
      if (known.has(identity)) closeDescriptor(fd);
      else this.#kept.push({ ...record, fd });
      known.add(identity);
      wanted.add(identity);
    }
    return isComplete ? wanted : undefined;
  }

  /** Closes them: without workers that listen too, the sockets are gone then. */
  close(): void {
    this.#closed = true;
    for (const { fd } of this.#kept.splice(0)) this.#sys?.close(fd);
  }
}

/** A socket by its address and its inode, which all its descriptors have. */
function identityOf({ kind, address }: SocketRecord, fd: number): string {
  return `${kind} ${address} ${fstatSync(fd).ino}`;
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
