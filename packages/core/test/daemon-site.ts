/**
 * Starts the program that becomes a daemon, and talks to the daemon.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { ServerConfiguration } from '../src/index.ts';
import type { DaemonSettings } from './fixtures/daemon-process.ts';

const PROGRAM = fileURLToPath(new URL('fixtures/daemon-process.ts', import.meta.url));
// As in child-server.ts.
const CACHE = join(tmpdir(), 'cirque-test-compile-cache');

/** The command that starts a daemon. */
export class Command {
  out = '';
  err = '';
  readonly #child: ChildProcess;
  readonly #end: Promise<number | string>;

  constructor(settings: DaemonSettings, cwd: string, env: Readonly<Record<string, string>>) {
    const words = ['--conditions=@cirque/source', PROGRAM, JSON.stringify(settings)];
    const own = { NODE_OPTIONS: '', NODE_COMPILE_CACHE: CACHE, ...env };
    this.#child = spawn(process.execPath, words, { cwd, env: { ...process.env, ...own } });
    this.#child.stdout?.on('data', (chunk: Buffer) => {
      this.out += chunk.toString();
    });
    this.#child.stderr?.on('data', (chunk: Buffer) => {
      this.err += chunk.toString();
    });
    this.#end = new Promise((resolve) => this.#child.once('close', (code, signal) => resolve(code ?? signal ?? '')));
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** The code, or the signal, that it ends with. Its output is complete then. (The daemon has streams of its own.) */
  end(): Promise<number | string> {
    return this.#end;
  }
}

/** The test's end of the conversation with a daemon. */
export class DaemonLink {
  readonly #socket: Socket;
  readonly #answers: AsyncIterator<string>;
  readonly #gone: Promise<void>;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('error', () => {}); // told by the end of the answers
    this.#gone = new Promise((resolve) => void socket.once('close', () => resolve()));
    this.#answers = createInterface({ input: socket })[Symbol.asyncIterator]();
  }

  /** Sends a command, waits until it is done, and returns what came of it. */
  async tell(command: string): Promise<unknown> {
    this.#socket.write(`${command}\n`);
    const answer = await this.#answers.next();
    if (answer.done === true) throw new Error(`the daemon has ended instead of doing: ${command}`);
    return JSON.parse(answer.value) as unknown;
  }

  /** Sends a command that ends the daemon. */
  endWith(command: string): Promise<void> {
    this.#socket.write(`${command}\n`);
    return this.gone();
  }

  /** Resolves when the daemon has ended. */
  gone(): Promise<void> {
    return this.#gone;
  }

  close(): Promise<void> {
    this.#socket.end(); // which ends the daemon
    return this.#gone;
  }
}

/** A folder with everything that a daemon needs. */
export class DaemonSite {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'cirque-daemon-'));
  readonly errorLog: string = join(this.folder, 'error.log');
  readonly #server: Server;
  readonly #links: DaemonLink[] = [];
  readonly #commands: Command[] = [];
  #next = Promise.withResolvers<DaemonLink>();

  constructor() {
    this.#server = createServer((socket) => {
      const link = new DaemonLink(socket);
      this.#links.push(link);
      this.#next.resolve(link);
    }).listen(join(this.folder, 'control'));
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  read(name: string): string {
    return readFileSync(this.path(name), 'utf8');
  }

  start(
    configuration: Partial<ServerConfiguration> = {},
    { env = {}, ...settings }: Pick<DaemonSettings, 'deaf'> & { readonly env?: Record<string, string> } = {},
  ): Command {
    const control = this.path('control');
    const all = { ...settings, control, configuration: { errorLog: 'error.log', pidFile: '', ...configuration } };
    const command = new Command(all, this.folder, env);
    this.#commands.push(command);
    return command;
  }

  /** The daemon that has connected last, or connects next. */
  daemon(): Promise<DaemonLink> {
    return this.#next.promise;
  }

  async end(): Promise<void> {
    for (const command of this.#commands) if (command.isRunning) command.kill('SIGKILL');
    await Promise.all(this.#links.map((link) => link.close()));
    this.#server.close();
    rmSync(this.folder, { recursive: true });
  }
}
