/**
 * Acts a README out: starts its programs on free ports, sends its requests, and compares what comes with what it says.
 */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { ExampleProcess } from './example-process.ts';
import { root } from './markdown.ts';
import { ask } from './request.ts';
import { type Step, withoutChance } from './transcript.ts';

/** What one step should have brought, and what it brought. */
export interface Outcome {
  readonly line: number;
  readonly command: string;
  readonly expected: string;
  readonly found: string;
}

/** Options that make an example listen on free ports, where `--listen 127.0.0.1:0` is not it. */
const FREE_PORTS: Readonly<Record<string, readonly string[]>> = {
  'load-balancer': ['--listen', '0.0.0.0:0'],
  'echo-services': ['--echo', '127.0.0.1:0', '--http', '127.0.0.1:0'],
};

const PORT = /(?<=127\.0\.0\.1[: ]|0\.0\.0\.0:|listen\()\d+/g;

export class Rehearsal {
  /** The port that stands for a port of the README. */
  readonly #ports = new Map<string, string>();
  readonly #origins: ExampleProcess[] = [];
  #program: ExampleProcess | undefined;

  /** Performs one step. */
  async perform(step: Step): Promise<Outcome> {
    const command = step.kind === 'command' ? step.words.join(' ') : 'output of the server';
    const found = step.kind === 'server' ? await this.#serverOutput(step.output) : await this.#run(step);
    return { line: step.line, command, expected: withoutChance(step.output), found: withoutChance(found) };
  }

  /** Stops what was started. Answers how the program ended; 0 is well. */
  async end(): Promise<number | NodeJS.Signals | null | undefined> {
    const code = await this.#program?.stop();
    this.#program = undefined;
    for (const origin of this.#origins) await origin.stop();
    return code;
  }

  async #run({ words, output }: Extract<Step, { kind: 'command' }>): Promise<string> {
    if (words[0] === 'npm') return this.#start(words, output);
    if (words[0] === 'node' && words[1] === '-e') return this.#startOrigin(words[2] as string);
    return ask(words.map((word, at) => this.#translate(word, words[at - 1])));
  }

  async #start(words: readonly string[], output: string): Promise<string> {
    const code = await this.#program?.stop();
    if (code !== undefined && code !== 0) throw new Error(`the program before ended with ${code}`);
    const [name = '', ...args] = words[1] === 'start' ? ['load-balancer'] : words.slice(words.indexOf('--') + 1);
    const main = join(root, 'examples', name, 'src', 'main.ts');
    const program = new ExampleProcess(['--conditions=@cirque/source', main, ...this.#onFreePorts(name, args)], root);
    this.#program = program;
    return this.#expectLines(program, output);
  }

  #serverOutput(output: string): Promise<string> {
    if (this.#program === undefined) throw new Error('no program was started before its output');
    return this.#expectLines(this.#program, output);
  }

  /** Waits for each line, and learns from them which ports stand for which. */
  async #expectLines(program: ExampleProcess, output: string): Promise<string> {
    const found: string[] = [];
    for (const line of output.split('\n')) {
      const actual = await program.waitFor(line);
      const ports = actual.match(PORT) ?? [];
      for (const [at, port] of (line.match(PORT) ?? []).entries()) this.#ports.set(port, ports[at] as string);
      found.push(actual);
    }
    return found.join('\n');
  }

  async #startOrigin(code: string): Promise<string> {
    for (const port of code.match(PORT) ?? []) this.#ports.set(port, await freePort());
    const main = `${this.#translate(code)}.on('listening', () => console.log('ready'))`;
    const origin = new ExampleProcess(['-e', main], root);
    this.#origins.push(origin);
    await origin.waitFor('ready');
    return '';
  }

  #onFreePorts(name: string, args: readonly string[]): string[] {
    const at = args.indexOf('--listen');
    if (at < 0)
      return [...args.map((arg) => this.#translate(arg)), ...(FREE_PORTS[name] ?? ['--listen', '127.0.0.1:0'])];
    return args.map((arg, index) => (index === at + 1 ? '127.0.0.1:0' : this.#translate(arg)));
  }

  #translate(word: string, previous?: string): string {
    if (previous === '127.0.0.1') return this.#ports.get(word) ?? word;
    return word.replace(PORT, (port) => this.#ports.get(port) ?? port);
  }
}

async function freePort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return String(port);
}
