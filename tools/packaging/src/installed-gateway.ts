/**
 * Runs the installed command `cirque` as its operator would: in the background with threads, told to read its file again, stopped.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort, InstalledDaemon } from './installed-daemon.ts';
import { runProgram } from './run-program.ts';

/** How long a reload may take, in milliseconds. */
const DEADLINE_MS = 30_000;

/** One life of the command, started through the link that npm makes. */
export class InstalledGateway extends InstalledDaemon {
  readonly #port: number;

  constructor(node: string, cwd: string, port: number) {
    super(node, cwd);
    this.#port = port;
  }

  static async prepare(node: string, cwd: string): Promise<InstalledGateway> {
    return new InstalledGateway(node, cwd, await freePort());
  }

  get file(): string {
    return join(this.folder, 'cirque.yaml');
  }

  /** Writes the file: everything is answered with this text. */
  configure(text: string): void {
    const listener = ['listeners:', `  - address: 127.0.0.1:${this.#port}`, `    respond: ${text}`];
    writeFileSync(this.file, [...this.settings, ...listener, ''].join('\n'));
  }

  /** Runs a command of it. Answers what it printed. @throws Error for another code than 0. */
  async command(...words: readonly string[]): Promise<string> {
    const program = join('node_modules', '.bin', 'cirque');
    const options = { cwd: this.cwd, timeoutMs: 60_000 };
    const { code, output } = await runProgram(this.node, [program, ...words], options);
    if (code !== 0) throw new Error(`code ${code}: ${output}`);
    return output;
  }

  async ask(): Promise<string> {
    const response = await fetch(`http://127.0.0.1:${this.#port}/`, { headers: { connection: 'close' } });
    return (await response.text()).trim();
  }

  /** Has the file read again, and waits until that shows in every one of some answers, as each thread is told by itself. */
  async reload(text: string): Promise<void> {
    this.configure(text);
    process.kill(this.pid, 'SIGHUP');
    for (const end = performance.now() + DEADLINE_MS; performance.now() < end; await sleep(20)) {
      const answers = await Promise.all(Array.from({ length: 16 }, () => this.ask()));
      if (answers.every((answer) => answer === text)) return;
    }
    throw new Error(`the file was not read again: ${this.log}`);
  }
}
