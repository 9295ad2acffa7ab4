/**
 * What is wrong with a gateway's configuration file: every problem at once, each with its place and its path in the document.
 *
 * A kind of ConfigurationError, so that the server reports it as it reports its own.
 */
import { ConfigurationError, type ConfigurationProblem } from '@cirque/core';
import { escapeText } from '@cirque/error';

/** One thing that is wrong, or that looks odd. */
export interface GatewayProblem extends ConfigurationProblem {
  /** The name of the file, as the user has written it. */
  readonly file: string;
  /** Where in the document: `upstreams.app.servers[1].weight`; empty: the file as a whole. */
  readonly path: string;
}

/** Thrown when a file cannot be used. `message` has one line for each problem, in the order of the file. */
export class GatewayConfigError extends ConfigurationError {
  declare readonly problems: readonly GatewayProblem[];

  constructor(file: string, problems: readonly GatewayProblem[], cause?: unknown) {
    super(file, problems, cause);
    this.name = 'GatewayConfigError';
    this.message = problems.map(problemLine).join('\n');
  }
}

/** A problem as one line: `cirque.yaml:12:5: listeners[0].address must be ...`. */
export function problemLine({ file, line, column, path, message }: GatewayProblem): string {
  const place = line === undefined ? file : `${file}:${line}:${column ?? 1}`;
  return escapeText(path === '' ? `${place}: ${message}` : `${place}: ${path} ${message}`);
}
