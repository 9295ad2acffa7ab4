/**
 * What a worker thread is told when it begins: which service of the entry module it runs, and with what.
 *
 * Workers run the entry module again; the first server made there finds its role here.
 */
import { isMainThread, type MessagePort, workerData } from 'node:worker_threads';
import type { LogOwner } from '../logs/open-log.ts';
import type { ServerConfiguration } from '../server/server-conf.ts';
import type { SocketRecord } from '../sockets/socket-record.ts';

/** The part of one worker thread. */
export interface WorkerRole {
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

let claimed = false;

/** True in a worker thread that a server has started. */
export function isWorkerThread(): boolean {
  return !isMainThread && roleHere() !== undefined;
}

/** The role of this thread, for the first who asks; undefined on the main thread, and for everyone else. */
export function claimWorkerRole(): WorkerRole | undefined {
  if (claimed || !isWorkerThread()) return undefined;
  claimed = true;
  return roleHere();
}

/** The directory in which the program was started, where this is a worker. */
export function startedInOfRole(): string | undefined {
  return isMainThread ? undefined : roleHere()?.startedIn;
}

function roleHere(): WorkerRole | undefined {
  return (workerData as Record<string, WorkerRole> | null | undefined)?.[KEY];
}
