/**
 * The programs of a page that go into the background, and the files by which they are found: a folder of our own stands
 * for /tmp, so that no test meets a server of the machine, or another test.
 */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { DaemonProcess } from './daemon-process.ts';
import { ExampleProcess } from './example-process.ts';

/** Settings whose defaults are the same for every server of the machine; and the log, which is what is watched. */
const NEEDED = ['pid_file', 'upgrade_sock', 'error_log'] as const;

/** A daemon, and what the command printed that has started it. */
export interface Launched {
  readonly program: DaemonProcess;
  readonly output: string;
}

export class Background {
  readonly #folder = mkdtempSync(join(tmpdir(), 'cirque-docs-'));
  readonly #daemons: DaemonProcess[] = [];
  /** By the process ids that there are: those of the page. */
  readonly #pids = new Map<string, string>();

  /** The text with our folder for /tmp. */
  translate(text: string): string {
    return text.replaceAll('/tmp/', `${this.#folder}/`);
  }

  /** What came, in the words of the page. */
  back(text: string): string {
    const pids = text.replace(/\b\d+\b/g, (number) => this.#pids.get(number) ?? number);
    return pids.replaceAll(`${this.#folder}/`, '/tmp/');
  }

  /** A configuration file with our folder for /tmp; answers its path. */
  configuration(name: string, text: string): string {
    const path = join(this.#folder, basename(name));
    writeFileSync(path, this.translate(text));
    return path;
  }

  /** A configuration for a daemon whose page has none. */
  ownConfiguration(text: string): string {
    const lines = NEEDED.map((key) => `${key}: /tmp/${key}`);
    return this.configuration('own.yaml', [...lines, 'daemon_wait_for_ready: true', text].join('\n'));
  }

  /**
   * Runs a command that starts a daemon, to its end.
   *
   * @param expected what the page says that it prints; the process id in it stands for the one that comes.
   */
  async launch(args: readonly string[], cwd: string, expected: string): Promise<Launched> {
    const log = logOf(resolve(cwd, args[args.indexOf('-c') + 1] ?? ''));
    const from = statSync(log, { throwIfNoEntry: false })?.size ?? 0;
    const command = new ExampleProcess(args, cwd);
    const code = await command.ended();
    const pid = processId(command.text);
    if (code !== 0 || pid === undefined) throw new Error(`no daemon, but ${code}:\n${command.output}`);
    this.#pids.set(pid, processId(expected) ?? pid);
    const program = new DaemonProcess(Number(pid), log, from);
    this.#daemons.push(program);
    return { program, output: command.text };
  }

  /** `kill -TERM $(cat /tmp/server.pid)`; waits for the end of what it ends. */
  async kill(option: string, file: string): Promise<void> {
    const pid = Number(readFileSync(this.translate(file), 'utf8'));
    const daemon = this.#daemons.find((one) => one.pid === pid);
    if (daemon === undefined) throw new Error(`${file} names process ${pid}, which this page has not started`);
    daemon.signal(`SIG${option.slice(1)}` as NodeJS.Signals);
    if (option === '-TERM' || option === '-INT') await daemon.ended();
  }

  /** `cat /tmp/server.pid` */
  cat(file: string): string {
    try {
      return readFileSync(this.translate(file), 'utf8').trimEnd();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      return `cat: ${file}: No such file or directory`;
    }
  }

  /** Stops the last daemon; those that it has followed end by themselves. Answers the first end that was not well. */
  async end(): Promise<0 | 'SIGKILL'> {
    const last = await this.#daemons.at(-1)?.stop();
    const ends = [last, ...(await Promise.all(this.#daemons.map((daemon) => daemon.ended())))];
    rmSync(this.#folder, { recursive: true, force: true });
    return ends.includes('SIGKILL') ? 'SIGKILL' : 0;
  }
}

function processId(text: string): string | undefined {
  return /process id (\d+)/.exec(text)?.[1];
}

function logOf(conf: string): string {
  const text = readFileSync(conf, 'utf8');
  const [, , log = ''] = NEEDED.map((key) => {
    const path = new RegExp(`^${key}: (/\\S+)`, 'm').exec(text)?.[1];
    if (path === undefined) throw new Error(`${conf} needs ${key} with an absolute path`);
    return path;
  });
  return log;
}
