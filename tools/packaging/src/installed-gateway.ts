/**
 * Runs the installed command `cirque` as its operator would: in the background with threads, told to read its file again, stopped.
 */
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { runProgram } from './run-program.ts';

/** How long anything may take, in milliseconds. */
const DEADLINE_MS = 30_000;

/** One life of the command, started through the link that npm makes. */
export class InstalledGateway {
  readonly #node: string;
  readonly #cwd: string;
  readonly #folder: string;
  readonly #port: number;

  constructor(node: string, cwd: string, port: number) {
    this.#node = node;
    this.#cwd = cwd;
    this.#folder = mkdtempSync(join(cwd, 'gateway-'));
    this.#port = port;
  }

  static async prepare(node: string, cwd: string): Promise<InstalledGateway> {
    const probe = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => probe.once('listening', resolve));
    const { port } = probe.address() as { port: number };
    await new Promise((resolve) => probe.close(resolve));
    return new InstalledGateway(node, cwd, port);
  }

  /** Writes the file: everything is answered with this text. */
  configure(text: string): void {
    const files = { pid_file: 'pid', error_log: 'log', upgrade_sock: 'upgrade.sock' };
    const paths = Object.entries(files).map(([key, name]) => `${key}: ${join(this.#folder, name)}`);
    const rest = ['threads: 2', 'daemon_wait_for_ready: true', 'listeners:', `  - address: 127.0.0.1:${this.#port}`];
    writeFileSync(join(this.#folder, 'cirque.yaml'), [...paths, ...rest, `    respond: ${text}`, ''].join('\n'));
  }

  /** Runs a command of it. Answers what it printed. @throws Error for another code than 0. */
  async command(...words: readonly string[]): Promise<string> {
    const program = join('node_modules', '.bin', 'cirque');
    const options = { cwd: this.#cwd, timeoutMs: 60_000 };
    const { code, output } = await runProgram(this.#node, [program, ...words], options);
    if (code !== 0) throw new Error(`code ${code}: ${output}`);
    return output;
  }

  get file(): string {
    return join(this.#folder, 'cirque.yaml');
  }

  get log(): string {
    return readFileSync(join(this.#folder, 'log'), 'utf8');
  }

  async ask(): Promise<string> {
    const response = await fetch(`http://127.0.0.1:${this.#port}/`, { headers: { connection: 'close' } });
    return (await response.text()).trim();
  }

  /** Has the file read again, and waits until that shows in every one of some answers, as each thread is told by itself. */
  async reload(text: string): Promise<void> {
    this.configure(text);
    process.kill(this.#pid, 'SIGHUP');
    for (const end = performance.now() + DEADLINE_MS; performance.now() < end; await sleep(20)) {
      const answers = await Promise.all(Array.from({ length: 16 }, () => this.ask()));
      if (answers.every((answer) => answer === text)) return;
    }
    throw new Error(`the file was not read again: ${this.log}`);
  }

  async stop(): Promise<void> {
    const pid = this.#pid;
    process.kill(pid, 'SIGTERM');
    for (const end = performance.now() + DEADLINE_MS; performance.now() < end; await sleep(20)) {
      if (!isAlive(pid)) return;
    }
    throw new Error(`process ${pid} is still there: ${this.log}`);
  }

  /** Ends it whatever happens. */
  kill(): void {
    if (existsSync(join(this.#folder, 'pid')) && isAlive(this.#pid)) process.kill(this.#pid, 'SIGKILL');
  }

  get #pid(): number {
    return Number(readFileSync(join(this.#folder, 'pid'), 'utf8'));
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
