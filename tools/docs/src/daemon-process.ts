/**
 * A program of a transcript that went into the background: known by its process id, watched by what it logs.
 */
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import type { RunningProgram } from './example-process.ts';
import { LineWatch } from './line-watch.ts';

const LOOK_EVERY_MS = 20;

export class DaemonProcess implements RunningProgram {
  readonly pid: number;
  readonly #lines = new LineWatch(['log'], true);
  readonly #log: string;
  readonly #timer: NodeJS.Timeout;
  #position: number;
  #end: 0 | 'SIGKILL' = 0;

  /**
   * @param log the file that takes everything it writes.
   * @param from where in it the output of this one begins.
   */
  constructor(pid: number, log: string, from: number) {
    this.pid = pid;
    this.#log = log;
    this.#position = from;
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS);
  }

  waitFor(line: string): Promise<string> {
    return this.#lines.waitFor(line);
  }

  signal(name: NodeJS.Signals): void {
    if (isAlive(this.pid)) process.kill(this.pid, name);
  }

  /** Waits until it has ended; by force when it takes too long. How it ended is not known to others than its parent. */
  async ended(): Promise<0 | 'SIGKILL'> {
    if (!(await this.#lines.closed())) {
      this.#end = 'SIGKILL';
      this.signal('SIGKILL');
      await this.#lines.closed();
    }
    return this.#end;
  }

  stop(): Promise<0 | 'SIGKILL'> {
    this.signal('SIGTERM');
    return this.ended();
  }

  /** In this order: what it wrote last is there when it is gone. */
  #look(): void {
    const alive = isAlive(this.pid);
    this.#read();
    if (alive) return;
    clearInterval(this.#timer);
    this.#lines.close();
  }

  #read(): void {
    const file = openSync(this.#log, 'r');
    try {
      const buffer = Buffer.alloc(65_536);
      for (let count = 1; count > 0; ) {
        count = readSync(file, buffer, 0, buffer.length, this.#position);
        this.#position += count;
        if (count > 0) this.#lines.push('log', buffer.toString('utf8', 0, count));
      }
    } finally {
      closeSync(file);
    }
  }
}

/** A process that has ended but was not yet waited for by its parent does not count. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2));
  } catch (error) {
    // Without /proc it is alive as far as anybody can tell.
    return (error as NodeJS.ErrnoException).code === 'ENOENT' && process.platform !== 'linux';
  }
}
