/**
 * A daemon that was started from the installed packages: known by the files in a folder of its own, and ended by its process id.
 */
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** How long it may take to end, in milliseconds. */
const DEADLINE_MS = 20_000;

/** One life of the program: a daemon, perhaps its successors, the end. */
export class InstalledDaemon {
  readonly node: string;
  readonly cwd: string;
  readonly folder: string;

  constructor(node: string, cwd: string) {
    this.node = node;
    this.cwd = cwd;
    this.folder = mkdtempSync(join(cwd, 'run-'));
  }

  /** The settings that put its files into its folder, and give it two threads. */
  get settings(): readonly string[] {
    const files = { pid_file: 'pid', error_log: 'log', upgrade_sock: 'upgrade.sock' };
    const paths = Object.entries(files).map(([key, name]) => `${key}: ${join(this.folder, name)}`);
    return ['version: 1', 'threads: 2', 'daemon_wait_for_ready: true', ...paths];
  }

  /** The process id of the daemon, by its file. */
  get pid(): number {
    return Number(readFileSync(join(this.folder, 'pid'), 'utf8'));
  }

  get log(): string {
    return readFileSync(join(this.folder, 'log'), 'utf8');
  }

  async stop(): Promise<void> {
    const { pid } = this;
    process.kill(pid, 'SIGTERM');
    await this.gone(pid);
  }

  /** Ends it whatever happens. */
  kill(): void {
    const pid = existsSync(join(this.folder, 'pid')) ? this.pid : 0;
    if (pid > 0 && isAlive(pid)) process.kill(pid, 'SIGKILL');
  }

  /** Resolves when a process is gone. */
  async gone(pid: number): Promise<void> {
    for (const end = performance.now() + DEADLINE_MS; performance.now() < end; await sleep(20)) {
      if (!isAlive(pid)) return;
    }
    throw new Error(`process ${pid} is still there: ${this.log}`);
  }
}

/** A port that nobody has, most likely. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => probe.once('listening', resolve));
  const { port } = probe.address() as { port: number };
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
