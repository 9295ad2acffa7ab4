/**
 * The daemon's end: knows that this process is one, and tells the command that has started it how far it has come.
 *
 * The command may be gone at any time; that changes nothing for the daemon.
 */
import { closeSync, fstatSync, writeSync } from 'node:fs';
import { HANDOVER_VARIABLE } from '../upgrade/respawn.ts';
import { DAEMON_VARIABLE, type DaemonMessage, messageLine, STATUS_DESCRIPTOR } from './daemon-channel.ts';

/** Tells the command that waits. */
export interface DaemonStatus {
  /** The server listens, or waits for the one that it follows. */
  started(): void;
  /**
   * Every service is ready. The last message.
   *
   * @param pid the process that serves. Default: this one.
   */
  ready(pid?: number): void;
  /** The server cannot start; the sentence is what the command prints. The last message. */
  failed(sentence: string): void;
}

/** What the environment says; read once, because the variable is removed. */
interface Role {
  readonly isDaemon: boolean;
  readonly token: string | undefined;
}

let role: Role | undefined;
let status: DaemonStatus | undefined;

/**
 * True in a daemon: in the process that a command has put into the background, and in the successor that a daemon has
 * started itself. What tells it is removed from the environment, so that children are none.
 */
export function isDaemonChild(): boolean {
  return claimRole().isDaemon;
}

/** The way to tell the command; undefined where no command waits. */
export function daemonStatus(): DaemonStatus | undefined {
  const { token } = claimRole();
  if (token !== undefined) status ??= new StatusPipe(token);
  return status;
}

function claimRole(): Role {
  role ??= roleOf(process.env);
  return role;
}

function roleOf(env: NodeJS.ProcessEnv): Role {
  const token = env[DAEMON_VARIABLE];
  delete env[DAEMON_VARIABLE];
  // A process that has inherited the variable by accident has no such pipe: it is no daemon, and writes nowhere.
  if (token !== undefined && token !== '' && isPipe(STATUS_DESCRIPTOR)) return { isDaemon: true, token };
  return { isDaemon: env[HANDOVER_VARIABLE] !== undefined, token: undefined };
}

function isPipe(descriptor: number): boolean {
  try {
    const stats = fstatSync(descriptor);
    return stats.isSocket() || stats.isFIFO();
  } catch {
    return false;
  }
}

class StatusPipe implements DaemonStatus {
  readonly #token: string;
  #open = true;

  constructor(token: string) {
    this.#token = token;
  }

  started(): void {
    this.#tell({ event: 'started' });
  }

  ready(pid: number = process.pid): void {
    this.#tell({ event: 'ready', pid });
    this.#close();
  }

  failed(sentence: string): void {
    this.#tell({ event: 'failed', sentence });
    this.#close();
  }

  #tell(message: DaemonMessage): void {
    if (!this.#open) return;
    try {
      writeSync(STATUS_DESCRIPTOR, messageLine(this.#token, message));
    } catch {
      this.#close(); // the command is gone (EPIPE), or does not read at all (EAGAIN)
    }
  }

  #close(): void {
    if (!this.#open) return;
    this.#open = false;
    closeSync(STATUS_DESCRIPTOR);
  }
}
