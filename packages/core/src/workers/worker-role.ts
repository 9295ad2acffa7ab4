/**
 * What a worker thread is told when it begins: which service of the entry module it runs, and with what.
 *
 * Workers run the entry module again; the server that was made as the same one there finds its role here.
 */
import { isMainThread, type MessagePort, workerData } from 'node:worker_threads';
import type { LogOwner } from '../logs/open-log.ts';
import type { ServerConfiguration } from '../server/server-conf.ts';
import type { SocketRecord } from '../sockets/socket-record.ts';

/** The part of one worker thread. */
export interface WorkerRole {
  /** Whose thread it is, of the servers that the entry module makes: see {@link countServer}. */
  readonly server: number;
  /** Name and position of the service, in the order of `addService`. */
  readonly service: string;
  readonly position: number;
  /** See ThreadPlace. */
  readonly index: number;
  readonly count: number;
  readonly row: number;
  readonly rows: number;
  readonly shared: Readonly<Record<string, SharedArrayBuffer>>;
  /** What `server.sharedMemory` has given to the main thread, by name. */
  readonly serverMemory: ReadonlyMap<string, SharedArrayBuffer>;
  readonly configuration: ServerConfiguration;
  /** The directory in which the program was started: relative paths mean the same in every thread. */
  readonly startedIn: string;
  /** Descriptors to listen on instead of binding. */
  readonly sockets: readonly SocketRecord[];
  /** True: the descriptors stay those of the main thread, and are duplicated before use. */
  readonly duplicate: boolean;
  /** The paths of unix sockets that it is given are removed by this thread when it ends. */
  readonly ownsPaths: boolean;
  /** See SocketTableOptions. */
  readonly heir: 'receives' | 'binds' | undefined;
  /** Configured addresses with port 0, and what was chosen for them. */
  readonly resolved: Readonly<Record<string, string>>;
  /** Positions of services with replicated state, and that state. */
  readonly snapshots: ReadonlyMap<number, unknown>;
  /** Whether the server accepts work, as load balancers ask for it. */
  readonly isReady: boolean;
  /** See LogFiles. */
  readonly logOwner: LogOwner | undefined;
  /** The way to the main thread. */
  readonly port: MessagePort;
}

const KEY = '@cirque/core worker';

/** The data that makes a thread a worker with this role. */
export function workerDataOf(role: WorkerRole): Record<string, unknown> {
  return { [KEY]: role };
}

let servers = 0;

/** Counts the servers of this thread, from 0, in the order in which they are made: the same one in every thread. */
export function countServer(): number {
  servers += 1;
  return servers - 1;
}

/** True in a worker thread that a server has started. */
export function isWorkerThread(): boolean {
  return !isMainThread && roleHere() !== undefined;
}

/** The role of this thread, for the server that it belongs to; undefined on the main thread, and for all others. */
export function roleOfServer(server: number): WorkerRole | undefined {
  const role = isWorkerThread() ? roleHere() : undefined;
  return role?.server === server ? role : undefined;
}

const end = Promise.withResolvers<void>();

/** Resolves when the service of this worker thread has ended: nothing is left to do for other servers either. */
export function threadEnd(): Promise<void> {
  return end.promise;
}

/** The service of this worker thread has ended. */
export function endThread(): void {
  end.resolve();
}

/** The directory in which the program was started, where this is a worker. */
export function startedInOfRole(): string | undefined {
  return isMainThread ? undefined : roleHere()?.startedIn;
}

function roleHere(): WorkerRole | undefined {
  return (workerData as Record<string, WorkerRole> | null | undefined)?.[KEY];
}
