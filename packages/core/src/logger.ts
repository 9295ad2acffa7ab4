/**
 * What every part of Cirque expects of a logger, and the logger a server makes when it is given none.
 *
 * The shape is pino's: an object of facts first, then the sentence. Making a logger is server-logger.ts.
 */
import { LOG_LEVELS } from './server/conf-keys.ts';
import type { LogLevel } from './server/server-conf.ts';

/** One severity of a logger. */
export interface LogMethod {
  (facts: object, message?: string): void;
  (message: string): void;
}

/** A logger in pino's shape. A pino instance fits, and so does any object with these four methods. */
export interface Logger {
  readonly debug: LogMethod;
  readonly info: LogMethod;
  readonly warn: LogMethod;
  readonly error: LogMethod;
  /** A logger whose lines also carry these facts; where it is missing, lines go without them. */
  child?(facts: Record<string, unknown>): Logger;
}

/** The logger that a server makes for itself. Level and file can be changed while it runs, for its children too. */
export interface ServerLogger extends Logger {
  level: string;
  /**
   * Writes to a file from now on, appending; undefined: to standard error.
   * @throws the error of the system when it cannot be opened.
   */
  writeTo(path: string | undefined): void;
  /** Opens the file again, after it was renamed. Where that fails, or where there is none, nothing changes. */
  reopen(): void;
}

/** A logger that writes nothing. */
export const silentLogger: Logger = {
  debug: ignore,
  info: ignore,
  warn: ignore,
  error: ignore,
};

/** Environment variables that set the level, the first one that is set wins. Both go before the configuration. */
const LEVEL_VARIABLES = ['CIRQUE_LOG', 'LOG_LEVEL'] as const;

/**
 * The level that the environment asks for, or undefined when it does not say.
 *
 * @throws RangeError naming the variable, its value and the levels.
 */
export function logLevelFromEnvironment(environment: NodeJS.ProcessEnv = process.env): LogLevel | undefined {
  for (const variable of LEVEL_VARIABLES) {
    const text = environment[variable];
    if (text === undefined || text === '') continue;
    const level = LOG_LEVELS.find((one) => one === text.toLowerCase());
    if (level !== undefined) return level;
    throw new RangeError(
      `environment variable ${variable} must be one of ${LOG_LEVELS.join(', ')}, got ${JSON.stringify(text)}`,
    );
  }
  return undefined;
}

/** A child logger where the logger has children, else the logger itself. */
export function childLogger(logger: Logger, facts: Record<string, unknown>): Logger {
  return logger.child?.(facts) ?? logger;
}

function ignore(): void {}
