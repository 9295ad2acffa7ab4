/**
 * Turns the command line into server options, for servers and for programs that add options of their own.
 *
 * `--help`, `--version` and mistakes end the process here, through {@link CliIo}. What the options mean is decided
 * by the server.
 */
import { parseArgs as tokenize } from 'node:util';
import type { Logger } from '../logger.ts';
import { helpText, versionText } from './cli-help.ts';
import type { LoadedConfiguration } from './conf-file.ts';
import { nearestWord } from './nearest-word.ts';

/** The parts of the process that the command line needs. Tests give their own. */
export interface CliIo {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
  exit(code: number): void;
}

/** How a server is started. Every field is optional: `new Server()` is a server with the defaults. */
export interface ServerOptions {
  /** Path of the YAML configuration file. Default: none, the defaults apply. */
  readonly conf?: string | undefined;
  /**
   * Reads the settings in the place of the file, at the start and on each reload, on the main thread; `conf` is for messages
   * then. Throws ConfigurationError when they cannot be used: the server does not start, or goes on with the old ones.
   * Default: none, the file is read.
   */
  readonly readConfiguration?: (() => LoadedConfiguration) | undefined;
  /** Run in the background, whatever the configuration says (`-d`). Default false. */
  readonly daemon?: boolean | undefined;
  /** Take the listening sockets over from the server that runs (`-u`). Default false. */
  readonly upgrade?: boolean | undefined;
  /** The module that worker threads run. Default: the file that was started. */
  readonly entry?: string | URL | undefined;
  /** Check the configuration and every address, then stop; nothing is served. Default false. */
  readonly test?: boolean | undefined;
  /** Where log lines go. Default: JSON lines on standard error, at the configured level. */
  readonly logger?: Logger | undefined;
  /**
   * Set by {@link parseArgs}: a configuration that cannot be used is then printed, and ends the process with code 1.
   * Without it `bootstrap()` throws.
   */
  readonly io?: CliIo | undefined;
}

/** An option of the program's own, beside those of the server. */
export interface CliOption {
  readonly type: 'string' | 'boolean';
  /** One letter: `l` for `-l`. */
  readonly short?: string;
  /** True: may be given several times, and the value is an array. */
  readonly multiple?: boolean;
  readonly default?: string | boolean | readonly string[];
  /** One line for `--help`. */
  readonly help?: string;
  /** What stands for the value in `--help`. Default `VALUE`. */
  readonly valueName?: string;
}

/** Options by their long names. */
export type CliOptionTable = Readonly<Record<string, CliOption>>;

type Single<O extends CliOption> = O['type'] extends 'boolean' ? boolean : string;
type Value<O extends CliOption> = O extends { multiple: true } ? Single<O>[] : Single<O>;

/** What was given for each option of the program's own; undefined where it was not given and has no default. */
export type CliValues<T extends CliOptionTable> = {
  readonly [K in keyof T]: T[K] extends { default: string | boolean | readonly string[] }
    ? Value<T[K]>
    : Value<T[K]> | undefined;
};

/** What {@link parseArgs} reads and how it presents the program. */
export interface ParseArgsConfig<T extends CliOptionTable> {
  /** The words after the program's name. Default: those of this process. */
  readonly argv?: readonly string[];
  /** Options beside those of the server. */
  readonly options?: T;
  /** The program's name for `--help` and `--version`. Default: the file that was started. */
  readonly name?: string;
  /** The program's version for `--version`. Default: only Cirque's own is printed. */
  readonly version?: string;
  /** One sentence for `--help`. */
  readonly description?: string;
  readonly io?: CliIo;
}

/** The result of {@link parseArgs}. */
export interface ParsedArgs<T extends CliOptionTable> extends ServerOptions {
  readonly test: boolean;
  readonly daemon: boolean;
  readonly upgrade: boolean;
  /** True only where a given {@link CliIo} did not end the process. */
  readonly help: boolean;
  /** True only where a given {@link CliIo} did not end the process. */
  readonly version: boolean;
  readonly values: CliValues<T>;
}

const SERVER_OPTIONS = {
  conf: { type: 'string', short: 'c', valueName: 'PATH', help: 'YAML configuration file' },
  daemon: { type: 'boolean', short: 'd', help: 'run in the background' },
  upgrade: { type: 'boolean', short: 'u', help: 'take the listening sockets over from the server that runs' },
  test: { type: 'boolean', short: 't', help: 'check configuration, certificates, paths and addresses, then exit' },
  help: { type: 'boolean', short: 'h', help: 'print this text and exit' },
  version: { type: 'boolean', help: 'print the versions and exit' },
} as const satisfies CliOptionTable;

/**
 * Reads the command line: `new Server(parseArgs())`.
 *
 * Knows `-c/--conf`, `-d/--daemon`, `-u/--upgrade`, `-t/--test`, `-h/--help`, `--version` and the options that the
 * program declares. Help and version are printed and end the process with 0. A mistake is printed with the nearest right
 * word and ends it with 2.
 *
 * @throws TypeError when a declared option collides with one of the server's.
 */
export function parseArgs(argv?: readonly string[]): ParsedArgs<Record<never, never>>;
export function parseArgs<const T extends CliOptionTable>(config: ParseArgsConfig<T>): ParsedArgs<T>;
export function parseArgs(input: readonly string[] | ParseArgsConfig<CliOptionTable> = {}): ParsedArgs<CliOptionTable> {
  const config: ParseArgsConfig<CliOptionTable> = isWords(input) ? { argv: input } : input;
  const own = config.options ?? {};
  checkOwnOptions(own);
  const io = config.io ?? process;
  const table: CliOptionTable = { ...own, ...SERVER_OPTIONS };
  const { values, problem } = readWords(config.argv ?? process.argv.slice(2), table);
  if (problem !== undefined) {
    io.stderr.write(`${problem}\nTry --help for the list of options.\n`);
    io.exit(2);
  } else if (values.help === true) {
    io.stdout.write(helpText(config, own, SERVER_OPTIONS));
    io.exit(0);
  } else if (values.version === true) {
    io.stdout.write(versionText(config));
    io.exit(0);
  }
  const { conf, daemon, upgrade, test, help, version, ...rest } = values;
  return {
    conf: conf as string | undefined,
    daemon: daemon === true,
    upgrade: upgrade === true,
    test: test === true,
    help: help === true,
    version: version === true,
    values: rest as CliValues<CliOptionTable>,
    io,
  };
}

function isWords(input: readonly string[] | object): input is readonly string[] {
  return Array.isArray(input);
}

function checkOwnOptions(own: CliOptionTable): void {
  const shorts = new Set(['c', 'd', 'u', 't', 'h']);
  for (const [name, { short }] of Object.entries(own)) {
    if (Object.hasOwn(SERVER_OPTIONS, name))
      throw new TypeError(`option --${name} belongs to the server; choose another name`);
    if (short === undefined) continue;
    if (!/^[a-zA-Z]$/.test(short))
      throw new TypeError(`short of option --${name} must be one letter, got ${JSON.stringify(short)}`);
    if (shorts.has(short)) throw new TypeError(`-${short} of option --${name} is taken; choose another letter`);
    shorts.add(short);
  }
}

type Values = Record<string, unknown>;

/** Collects the values, or says in one sentence what is wrong with the words. */
function readWords(argv: readonly string[], table: CliOptionTable): { values: Values; problem: string | undefined } {
  const values = defaults(table);
  const { tokens } = tokenize({
    args: [...argv],
    options: nodeOptions(table),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const given = new Set<string>();
  for (const token of tokens) {
    if (token.kind === 'option-terminator') continue;
    if (token.kind === 'positional') return { values, problem: `unexpected argument ${JSON.stringify(token.value)}` };
    const option = Object.hasOwn(table, token.name) ? table[token.name] : undefined;
    const problem =
      option === undefined ? unknownOption(token.rawName, token.name, table) : misuse(token, option, given);
    if (option === undefined || problem !== undefined) return { values, problem };
    const value = option.type === 'boolean' ? true : token.value;
    values[token.name] =
      option.multiple === true ? [...(given.has(token.name) ? (values[token.name] as unknown[]) : []), value] : value;
    given.add(token.name);
  }
  return { values, problem: undefined };
}

interface OptionToken {
  readonly name: string;
  readonly rawName: string;
  readonly value: string | undefined;
  readonly inlineValue: boolean | undefined;
}

function misuse(
  { name, rawName, value, inlineValue }: OptionToken,
  option: CliOption,
  given: ReadonlySet<string>,
): string | undefined {
  if (option.multiple !== true && given.has(name)) return `option ${rawName} is given twice; it takes one value`;
  if (option.type === 'boolean')
    return value === undefined ? undefined : `option ${rawName} takes no value, got ${JSON.stringify(value)}`;
  if (value === undefined || value === '')
    return `option ${rawName} needs a value: --${name}=${option.valueName ?? 'VALUE'}`;
  if (inlineValue === true || !value.startsWith('-')) return undefined;
  return `option ${rawName} needs a value, but ${JSON.stringify(value)} looks like an option; write --${name}=${value} if it is meant`;
}

function unknownOption(rawName: string, name: string, table: CliOptionTable): string {
  const nearest = rawName.startsWith('--') ? nearestWord(name, Object.keys(table)) : undefined;
  return nearest === undefined ? `unknown option ${rawName}` : `unknown option ${rawName}; did you mean --${nearest}?`;
}

function defaults(table: CliOptionTable): Values {
  const values: Values = {};
  for (const [name, option] of Object.entries(table)) {
    values[name] = Array.isArray(option.default) ? [...option.default] : option.default;
  }
  return values;
}

function nodeOptions(
  table: CliOptionTable,
): Record<string, { type: 'string' | 'boolean'; short?: string; multiple: boolean }> {
  const entries = Object.entries(table).map(([name, { type, short }]) => [
    name,
    short === undefined ? { type, multiple: true } : { type, short, multiple: true },
  ]);
  return Object.fromEntries(entries);
}
