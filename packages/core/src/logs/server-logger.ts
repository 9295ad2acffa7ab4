/**
 * The logger that a server makes when it is given none: pino, with one JSON object per line, written at once so that none
 * is lost at exit.
 *
 * Unlike pino's own children, those of this logger follow its level and its file while they change.
 */
import { type Logger as Pino, pino } from 'pino';
import type { Logger, LogMethod, ServerLogger } from '../logger.ts';
import type { LogLevel } from '../server/server-conf.ts';
import { AppendFile } from './append-file.ts';

/** Where the lines of a logger may go. */
export interface LoggerOptions {
  /** A file, appended. Default: standard error. */
  readonly file?: string | undefined;
}

/**
 * Makes the default logger.
 *
 * @throws the error of the system when the file cannot be opened.
 */
export function createLogger(level: LogLevel, { file }: LoggerOptions = {}): ServerLogger {
  const output = new Output();
  if (file !== undefined) output.use(file);
  return new RootLogger(output, new Threshold(level));
}

class RootLogger implements ServerLogger {
  readonly debug: LogMethod;
  readonly info: LogMethod;
  readonly warn: LogMethod;
  readonly error: LogMethod;
  readonly child: (facts: Record<string, unknown>) => Logger;
  readonly #output: Output;
  readonly #threshold: Threshold;

  constructor(output: Output, threshold: Threshold) {
    this.#output = output;
    this.#threshold = threshold;
    const methods = scoped(pino({ level: 'trace' }, output), threshold);
    this.debug = methods.debug;
    this.info = methods.info;
    this.warn = methods.warn;
    this.error = methods.error;
    this.child = methods.child;
  }

  get level(): string {
    return this.#threshold.level;
  }

  set level(level: string) {
    this.#threshold.set(level);
  }

  writeTo(path: string | undefined): void {
    this.#output.use(path);
  }

  reopen(): void {
    this.#output.reopen();
  }
}

/** Standard error, or a file. */
class Output {
  readonly #standardError = pino.destination({ fd: 2, sync: true });
  #file: AppendFile | undefined;

  write(line: string): void {
    if (this.#file === undefined) this.#standardError.write(line);
    else this.#file.write(line);
  }

  use(path: string | undefined): void {
    const old = this.#file;
    // A log that cannot be written says so where its lines went before.
    const say = (_path: string, error: unknown): void => void this.#standardError.write(`${String(error)}\n`);
    this.#file = path === undefined ? undefined : new AppendFile(path, { bufferBytes: 0 }, say);
    old?.close();
  }

  reopen(): void {
    this.#file?.reopen();
  }
}

/** The least severity that is logged, shared by a logger and its children. */
class Threshold {
  level: string;
  #value: number;

  constructor(level: string) {
    this.level = level;
    this.#value = Threshold.#valueOf(level);
  }

  set(level: string): void {
    this.#value = Threshold.#valueOf(level);
    this.level = level;
  }

  allows(value: number): boolean {
    return value >= this.#value;
  }

  static #valueOf(level: string): number {
    const value = level === 'silent' ? Number.POSITIVE_INFINITY : pino.levels.values[level];
    if (value === undefined) throw new RangeError(`unknown log level ${JSON.stringify(level)}`);
    return value;
  }
}

function scoped(target: Pino, threshold: Threshold): Required<Logger> {
  return {
    debug: method(target, 'debug', threshold),
    info: method(target, 'info', threshold),
    warn: method(target, 'warn', threshold),
    error: method(target, 'error', threshold),
    child: (facts) => scoped(target.child(facts), threshold),
  };
}

function method(target: Pino, name: 'debug' | 'info' | 'warn' | 'error', threshold: Threshold): LogMethod {
  const value = pino.levels.values[name] ?? 0;
  return (facts: object | string, message?: string): void => {
    if (!threshold.allows(value)) return;
    if (typeof facts === 'string') target[name](facts);
    else target[name](facts, message);
  };
}
