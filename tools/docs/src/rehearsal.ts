/**
 * Acts a page out: writes its files, starts its programs on free ports, sends its requests, and compares what comes
 * with what it says.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Background } from './background.ts';
import { ExampleProcess, type RunningProgram } from './example-process.ts';
import { root } from './markdown.ts';
import { PortMap } from './port-map.ts';
import { ask } from './request.ts';
import { type Step, withoutChance } from './transcript.ts';

/** What one step should have brought, and what it brought. */
export interface Outcome {
  readonly line: number;
  readonly command: string;
  readonly expected: string;
  readonly found: string;
}

type Command = Extract<Step, { kind: 'command' }>;

/**
 * Options of examples that name where they listen, when `--listen` is not all, and addresses. Not port 0: a successor finds
 * sockets by the addresses that it is given, and so do threads.
 */
const LISTEN_OPTIONS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'load-balancer': { '--listen': '0.0.0.0:6188', '--listen-tls': '0.0.0.0:6189' },
  deploy: { '--listen': '127.0.0.1:6230', '--health': '127.0.0.1:6231' },
  'http2-gateway': { '--listen': '127.0.0.1:6202', '--listen-tls': '127.0.0.1:6203' },
  'tls-termination': { '--listen': '127.0.0.1:6200', '--http': '127.0.0.1:6201' },
  nginy: { '--tcp': '127.0.0.1:6240', '--udp': '127.0.0.1:6241', '--servers': '127.0.0.1:9101,127.0.0.1:9102' },
  origins: { '--one': '127.0.0.1:9101', '--two': '127.0.0.1:9102' },
  'echo-services': { '--echo': '127.0.0.1:6142', '--http': '127.0.0.1:6145' },
  'graceful-upgrade': {
    '--listen': '127.0.0.1:6220',
    '--listen-tls': '127.0.0.1:6221',
    '--listen-udp': '127.0.0.1:6222',
  },
};

/** Programs run from the sources, so that nothing has to be built. */
const NODE_OPTIONS = ['--conditions=@cirque/source'];

/** How a page is acted out. */
export interface RehearsalOptions {
  /** Examples go into the background, with these lines in their configuration, whatever the page says. */
  readonly inBackgroundWith?: string;
}

export class Rehearsal {
  readonly #options: RehearsalOptions;
  readonly #ports = new PortMap();
  readonly #files = new Map<string, string>();
  /** Where the files of the page are written: inside this package, so that its imports are found. */
  readonly #folder = mkdtempSync(join(fileURLToPath(new URL('..', import.meta.url)), '.snippets-'));
  readonly #background = new Background();
  readonly #beside: ExampleProcess[] = [];
  #program: RunningProgram | undefined;

  constructor(options: RehearsalOptions = {}) {
    this.#options = options;
  }

  /** Performs one step. Undefined for one that shows nothing. */
  async perform(step: Step): Promise<Outcome | undefined> {
    if (step.kind === 'file') {
      this.#files.set(step.name, step.code);
      return undefined;
    }
    const command = step.kind === 'command' ? step.words.join(' ') : 'output of the server';
    const found = step.kind === 'server' ? await this.#serverOutput(step.output) : await this.#run(step);
    return {
      line: step.line,
      command,
      expected: withoutChance(step.output),
      found: withoutChance(this.#background.back(found)),
    };
  }

  /** Stops what was started. Answers how the last program ended; 0 is well. */
  async end(): Promise<number | NodeJS.Signals | null | undefined> {
    const code = await this.#program?.stop();
    this.#program = undefined;
    for (const process of this.#beside) await process.stop();
    rmSync(this.#folder, { recursive: true, force: true });
    return (await this.#background.end()) || code;
  }

  async #run(step: Command): Promise<string> {
    const { words } = step;
    if (words[0] === 'npm') return this.#runExample(step);
    if (words[0] === 'kill') return this.#signal(words);
    if (words[0] === 'cat') return this.#background.cat(words[1] ?? '');
    if (words[0] === 'node' && words[1] === '-e') return this.#startOrigin(words[2] as string);
    if (words[0] === 'node') return this.#runFile(step);
    const folder = this.#files.size > 0 ? this.#folder : root;
    if (words[0] === 'openssl') return this.#runOpenssl(words.slice(1), folder);
    return ask(this.#ports.translate(words.join('\0')).split('\0'), folder);
  }

  async #runExample(step: Command): Promise<string> {
    const { words } = step;
    const [wanted = '', ...args] = words[1] === 'start' ? ['load-balancer'] : words.slice(words.indexOf('--') + 1);
    const [name = '', program = 'main'] = wanted.split('/');
    const file = join(root, 'examples', name, 'src', `${program}.ts`);
    // What is put into the background is no client, but goes on as the main program does.
    if (step.beside) return this.#start([file, ...(await this.#onFreePorts(program, args))], root, step);
    if (program === 'cirque') return this.#start([file, ...(await this.#ownGateway(args))], root, step);
    if (program === 'main') {
      const own = await this.#onFreePorts(name, this.#ownFiles(args));
      return this.#start([file, ...own], root, step);
    }
    return this.#runBeside([file, ...args.map((arg) => this.#ports.translate(arg))]);
  }

  /** A client of the program: it ends by itself, well, and writes what is shown and nothing else. */
  async #runBeside(args: readonly string[]): Promise<string> {
    const process = new ExampleProcess([...NODE_OPTIONS, ...args], root);
    const code = await process.ended();
    if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}:\n${process.output}`);
    return process.text;
  }

  /** The one of the system; what it says on the way goes to standard error. */
  async #runOpenssl(args: readonly string[], cwd: string): Promise<string> {
    return (await promisify(execFile)('openssl', args, { cwd })).stdout;
  }

  /** `kill -HUP 4711`, or `kill -TERM $(cat /tmp/server.pid)` */
  async #signal([, option = '', word, file = '']: readonly string[]): Promise<string> {
    if (word === '$(cat') {
      await this.#background.kill(option, file.slice(0, -1));
      return '';
    }
    if (this.#program === undefined) throw new Error('no program was started before it is sent a signal');
    this.#program.signal(`SIG${option.slice(1)}` as NodeJS.Signals);
    return '';
  }

  /** `node lb.ts -t`, with the files of the page. */
  async #runFile(step: Command): Promise<string> {
    for (const [name, code] of this.#files) {
      await this.#ports.reserve(code);
      writeFileSync(join(this.#folder, name), this.#background.translate(this.#ports.translate(code)));
    }
    return this.#start(step.words.slice(1), this.#folder, step);
  }

  async #start(args: readonly string[], cwd: string, step: Command): Promise<string> {
    const { output, beside, asksForCode } = step;
    // A successor takes over from the program that runs.
    if (!beside && !args.includes('-u')) await this.#stopProgram();
    if (!asksForCode && args.includes('-d')) return this.#startDaemon(args, cwd, step);
    const process = new ExampleProcess([...NODE_OPTIONS, ...args], cwd);
    if (asksForCode) return this.#runToItsEnd(process, output);
    if (beside) this.#beside.push(process);
    else this.#program = process;
    return this.#expectLines(process, output);
  }

  async #stopProgram(): Promise<void> {
    const code = await this.#program?.stop();
    if (code !== undefined && code !== 0) throw new Error(`the program before ended with ${code}`);
  }

  /** Where the page knows nothing of a daemon, it shows what the program writes, not what the command does. */
  async #startDaemon(args: readonly string[], cwd: string, step: Command): Promise<string> {
    const { program, output } = await this.#background.launch([...NODE_OPTIONS, ...args], cwd, step.output);
    this.#program = program;
    return step.words.includes('-d') ? output : this.#expectLines(program, step.output);
  }

  async #runToItsEnd(process: ExampleProcess, output: string): Promise<string> {
    const lines = output.split('\n').slice(0, -1).join('\n');
    const found = await this.#expectLines(process, lines);
    return `${found === '' ? '' : `${found}\n`}${await process.ended()}`;
  }

  #serverOutput(output: string): Promise<string> {
    if (this.#program === undefined) throw new Error('no program was started before its output');
    return this.#expectLines(this.#program, output);
  }

  /** Waits for each line, and learns from them which ports stand for which. */
  async #expectLines(process: RunningProgram, output: string): Promise<string> {
    const found: string[] = [];
    for (const line of output === '' ? [] : output.split('\n')) {
      const actual = await process.waitFor(this.#background.translate(line));
      this.#ports.learn(line, actual);
      found.push(actual);
    }
    return found.join('\n');
  }

  async #startOrigin(code: string): Promise<string> {
    await this.#ports.reserve(code);
    const main = `${this.#ports.translate(code)}.on('listening', () => console.log('ready'))`;
    const origin = new ExampleProcess(['-e', main], root);
    this.#beside.push(origin);
    await origin.waitFor('ready');
    return '';
  }

  /** The arguments of an example with files of its own where the page has a configuration, or needs one. */
  #ownFiles(args: readonly string[]): readonly string[] {
    const { inBackgroundWith } = this.#options;
    const at = args.indexOf('-c') + 1;
    if (at > 0) {
      const conf = args[at] as string;
      return args.with(at, this.#background.configuration(conf, readFileSync(join(root, conf), 'utf8')));
    }
    if (inBackgroundWith === undefined) return args;
    return [...args, '-d', '-c', this.#background.ownConfiguration(inBackgroundWith)];
  }

  /** The arguments of the command `cirque`, with a copy of its file that names free ports. */
  async #ownGateway(args: readonly string[]): Promise<readonly string[]> {
    const at = args.indexOf('-c') + 1;
    const conf = args[at] as string;
    const text = readFileSync(join(root, conf), 'utf8');
    await this.#ports.reserve(text);
    const own = this.#ports.translate(text);
    const { inBackgroundWith } = this.#options;
    if (inBackgroundWith === undefined) return args.with(at, this.#background.configuration(conf, own));
    return [...args.with(at, this.#background.ownConfiguration(`${inBackgroundWith}\n${own}`)), '-d'];
  }

  async #onFreePorts(name: string, args: readonly string[]): Promise<string[]> {
    const listening = LISTEN_OPTIONS[name];
    if (listening !== undefined) {
      const missing = Object.entries(listening).filter(([option]) => !args.includes(option));
      await this.#ports.reserve(Object.values(listening).join(' '));
      return [...args, ...missing.flat()].map((arg) => this.#ports.translate(arg));
    }
    const translated = args.map((arg) => this.#ports.translate(arg));
    const at = args.indexOf('--listen');
    return at < 0 ? [...translated, '--listen', '127.0.0.1:0'] : translated.with(at + 1, '127.0.0.1:0');
  }
}
