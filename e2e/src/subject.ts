/**
 * The proxy under test: `examples/reverse-proxy`, as a process of its own, known only by its flags and its sockets.
 *
 * The environment variable E2E_SUBJECT replaces it by another program: a JSON array of command and arguments in which
 * `{upstream}` stands for the origin's address. It must print the same `listening on HOST:PORT` line.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../examples/reverse-proxy/src/main.ts', import.meta.url));
const START_TIMEOUT_MS = 15_000;
const STOP_TIMEOUT_MS = 3_000;
/** How much of the proxy's own output is kept for error messages. */
const OUTPUT_LIMIT = 20_000;

function commandLine(upstreams: readonly string[]): readonly string[] {
  const replaced = process.env.E2E_SUBJECT;
  if (replaced) {
    const words = JSON.parse(replaced) as string[];
    return words.map((word) => word.replaceAll('{upstream}', upstreams.join(',')));
  }
  const flags = upstreams.flatMap((upstream) => ['--upstream', upstream]);
  return [process.execPath, '--conditions=@cirque/source', MAIN, '--listen', '127.0.0.1:0', ...flags];
}

const running = new Set<ChildProcess>();

/** Kills every proxy that a test file has not stopped, because it failed before it came to that. */
export function killLeftBehind(): void {
  for (const child of running) child.kill('SIGKILL');
}

export class Subject {
  readonly port: number;
  readonly pid: number;
  #child: ChildProcess;
  #output: () => string;

  private constructor(child: ChildProcess, port: number, output: () => string) {
    this.#child = child;
    this.#output = output;
    this.port = port;
    this.pid = child.pid as number;
  }

  /** Starts the proxy in front of these origins (ports on loopback) and waits until it listens. */
  static start(...originPorts: readonly number[]): Promise<Subject> {
    return Subject.launch(commandLine(originPorts.map((port) => `127.0.0.1:${port}`)));
  }

  /** Starts any program that prints the line, and waits until it listens. */
  static async launch([command = '', ...args]: readonly string[]): Promise<Subject> {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    running.add(child);
    child.once('exit', () => running.delete(child));
    let output = '';
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const collect = (chunk: Buffer): void => {
      if (output.length < OUTPUT_LIMIT) output += chunk.toString('utf8');
      const match = /listening on \S*?:(\d+)\s/.exec(output);
      if (match) resolve(Number(match[1]));
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    const failed = (why: string): void =>
      reject(new Error(`the proxy ${why}: ${command} ${args.join(' ')}\n${output}`));
    child.once('error', (error) => failed(error.message));
    child.once('exit', (code, signal) => failed(`ended at once (${signal ?? code})`));
    const timer = setTimeout(() => failed(`did not listen within ${START_TIMEOUT_MS} ms`), START_TIMEOUT_MS);
    try {
      return new Subject(child, await promise, () => output);
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** False once the process has ended, for whatever reason. */
  get alive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** What the proxy printed first, for error messages. */
  get output(): string {
    return this.#output();
  }

  /** Resident memory of the process in bytes; undefined where the system has no /proc. */
  async residentBytes(): Promise<number | undefined> {
    try {
      const status = await readFile(`/proc/${this.pid}/status`, 'latin1');
      const kib = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
      return kib === undefined ? undefined : Number(kib) * 1_024;
    } catch {
      return undefined;
    }
  }

  /** Processor time the process has used so far, in milliseconds (steps of 10); undefined without /proc. */
  async cpuMs(): Promise<number | undefined> {
    try {
      const stat = await readFile(`/proc/${this.pid}/stat`, 'latin1');
      // The name in parentheses may hold anything; utime and stime are the 12th and 13th words after it.
      const words = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return (Number(words[11]) + Number(words[12])) * 10;
    } catch {
      return undefined;
    }
  }

  /** Sockets the process holds, listening ones included; undefined without /proc. */
  async openSockets(): Promise<number | undefined> {
    const folder = `/proc/${this.pid}/fd`;
    try {
      const links = await Promise.all((await readdir(folder)).map((fd) => readlink(`${folder}/${fd}`).catch(() => '')));
      return links.filter((link) => link.startsWith('socket:')).length;
    } catch {
      return undefined;
    }
  }

  /** Ends the process in order, by force when it takes too long. */
  async stop(): Promise<void> {
    if (!this.alive) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGINT');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await exited;
    clearTimeout(timer);
  }
}
