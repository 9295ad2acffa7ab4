/**
 * Sockets, files and processes of one test, all gone when it ends.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, openSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { descriptorOf } from '../src/index.ts';

const DEADLINE_MS = 15_000;

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export class Sandbox {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'cirque-sys-'));
  readonly #cleanup: (() => void)[] = [];

  /** Runs `undo` at the end. */
  later(undo: () => void): void {
    this.#cleanup.push(undo);
  }

  end(): void {
    for (const undo of this.#cleanup.reverse()) undo();
    rmSync(this.folder, { recursive: true, force: true });
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /** A file of that name, open for writing. */
  file(name: string): number {
    return openSync(this.path(name), 'a');
  }

  /** The numbers under which a file of this folder is open in this process. */
  opened(name: string): number[] {
    const path = this.path(name);
    return readdirSync('/proc/self/fd')
      .map(Number)
      .filter((fd) => targetOf(fd) === path);
  }

  /** A server that accepts and never reads. */
  async listen(options: net.ListenOptions): Promise<net.Server> {
    const server = net.createServer({ pauseOnConnect: true });
    this.later(() => server.close());
    server.listen(options);
    await once(server, 'listening');
    return server;
  }

  /** Both ends of a connection on which nobody reads. */
  async pair(options: net.ListenOptions = { path: this.path('pair.sock') }): Promise<[net.Socket, net.Socket]> {
    const server = await this.listen(options);
    const client = new net.Socket().pause();
    this.later(() => client.destroy());
    const accepted = once(server, 'connection') as Promise<[net.Socket]>;
    const address = server.address();
    client.connect(typeof address === 'string' ? { path: address } : { port: (address as net.AddressInfo).port });
    await once(client, 'connect');
    const [other] = await accepted;
    this.later(() => other.destroy());
    return [client, other];
  }

  /** The numbers of such a pair of unix sockets. */
  async descriptors(): Promise<[number, number]> {
    const [one, other] = await this.pair();
    return [descriptorOf(one) as number, descriptorOf(other) as number];
  }

  /** Starts a program of test/fixtures. */
  start(fixture: string, args: readonly string[], options: StartOptions = {}): ChildProcess {
    const program = options.program ?? fileURLToPath(new URL(`./fixtures/${fixture}`, import.meta.url));
    const command = [process.execPath, ...(options.nodeArgs ?? []), program, ...args];
    const [file = '', ...rest] = [...(options.wrapper ?? []), ...command];
    const child = spawn(file, rest, {
      cwd: options.cwd ?? process.cwd(),
      env: { PATH: process.env.PATH, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: DEADLINE_MS,
      killSignal: 'SIGKILL',
    });
    this.later(() => child.kill('SIGKILL'));
    return child;
  }

  /** Runs it to its end. */
  async run(fixture: string, args: readonly string[], options: StartOptions = {}): Promise<Finished> {
    return finished(this.start(fixture, args, options));
  }
}

export interface StartOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly nodeArgs?: readonly string[];
  /** What runs Node.js. */
  readonly wrapper?: readonly string[];
  /** Instead of a fixture. */
  readonly program?: string;
}

/** What a process said, and how it ended. */
export async function finished(child: ChildProcess): Promise<Finished> {
  const output = { stdout: '', stderr: '' };
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output.stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    output.stderr += text;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...output };
}

function targetOf(fd: number): string | undefined {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return undefined; // the one that listed the folder
  }
}
