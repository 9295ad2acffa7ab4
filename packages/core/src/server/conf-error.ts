/**
 * What is wrong with a configuration file: every problem at once, each with its place.
 */
import { escapeText } from '@cirque/error';

/** One thing that is wrong in a configuration file. */
export interface ConfigurationProblem {
  /** Line and column, counted from 1; undefined when the file as a whole is meant. */
  readonly line: number | undefined;
  readonly column: number | undefined;
  /** The key concerned, as written; undefined for errors of syntax. */
  readonly key: string | undefined;
  /** What is wrong, with the value, and what would be right. */
  readonly message: string;
}

/** Thrown when a configuration file cannot be used. `message` lists all problems, one per line. */
export class ConfigurationError extends TypeError {
  readonly file: string;
  readonly problems: readonly ConfigurationProblem[];

  constructor(file: string, problems: readonly ConfigurationProblem[], cause?: unknown) {
    super(describe(file, problems), cause === undefined ? undefined : { cause });
    this.name = 'ConfigurationError';
    this.file = file;
    this.problems = problems;
  }
}

function describe(file: string, problems: readonly ConfigurationProblem[]): string {
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
  return [`configuration file ${escapeText(file)} has ${count}`, ...problems.map((one) => describeOne(file, one))].join(
    '\n  ',
  );
}

function describeOne(file: string, { line, column, key, message }: ConfigurationProblem): string {
  const place = line === undefined ? file : `${file}:${line}:${column ?? 1}`;
  return escapeText(key === undefined ? `${place}: ${message}` : `${place}: ${key}: ${message}`);
}
