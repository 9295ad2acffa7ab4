/**
 * What is around a running server: an operating system process (process-host.ts), or a program that embeds it.
 */
import type { Logger } from '../logger.ts';
import type { LogOwner } from '../logs/open-log.ts';
import type { RespawnOptions } from '../upgrade/respawn.ts';
import type { ServerOptions } from './cli-options.ts';
import { findPredecessor, type OtherSuccessor, type Predecessor } from './predecessor.ts';
import type { ServerConfiguration } from './server-conf.ts';

/** Is told how far a server has come. */
export interface Host {
  /** Before anything is opened. Finds the server whose sockets are taken over. */
  begin(signal: AbortSignal): Promise<Predecessor | OtherSuccessor | undefined>;
  /** Everything listens; nobody has been told. What throws here ends the server. */
  listening(): Promise<void> | void;
  /** Everything works. */
  ready(): void;
}

/** What a host may do with its server. */
export interface Lifecycle {
  readonly configuration: ServerConfiguration;
  readonly stopKind: 'graceful' | 'fast' | undefined;
  bootstrap(): void;
  /** Runs until the server has stopped; answers the exit code. Rejects when it cannot start. */
  serve(host: Host): Promise<number>;
  stop(kind: 'graceful' | 'fast'): void;
  /** Hands over to a successor and answers its process id; undefined when that has failed. */
  upgrade(uids: readonly number[], respawn: RespawnOptions): Promise<number | undefined>;
  /** Log files that are created from now on, in all threads, belong to this user. */
  ownLogs(owner: LogOwner): void;
  /** The process has become another user: warns of what it can do no more. */
  checkRights(): Promise<void>;
  reload(): Promise<void>;
  reopenLogs(): void;
}

/** A program that runs a server as a part of itself. `-u` works; everything else is the program's own affair. */
export function embeddedHost(configuration: ServerConfiguration, options: ServerOptions, logger: Logger): Host {
  return {
    begin: async (signal) => {
      if (options.upgrade !== true) return undefined;
      const uids = [...new Set([process.geteuid?.() ?? 0, 0])];
      return findPredecessor({ upgrade: true, configuration, uids, logger, signal });
    },
    listening: () => {},
    ready: () => {},
  };
}
