/**
 * From a file, or a text, to a checked configuration.
 */
import { readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { gatewaySchema } from '../schema/gateway-schema.ts';
import { withAbsolutePaths } from './absolute-paths.ts';
import { crossCheck } from './cross-checks.ts';
import { describeIssues } from './describe-issue.ts';
import type { Environment } from './environment.ts';
import type { GatewayConfig } from './gateway-config.ts';
import { GatewayConfigError, type GatewayProblem } from './gateway-config-error.ts';
import { warningsOf } from './warnings.ts';
import { YamlSource } from './yaml-source.ts';

/** The largest file that is read, in bytes. */
const MAX_FILE_BYTES = 4_194_304;

/** What loading needs besides the file. */
export interface LoadOptions {
  /** The variables that `${NAME}` stands for. Default: those of the process. */
  readonly env?: Environment;
  /** Is told of what looks odd, and does no harm: routes that are never reached, upstreams that nothing uses. Default: nobody. */
  readonly warn?: (warning: GatewayProblem) => void;
  /** Looks at a configuration that is right in itself, and answers what is wrong all the same. Default: nothing is. */
  readonly inspect?: (config: GatewayConfig, source: YamlSource) => readonly GatewayProblem[];
  /** Reads the file. Default: from the disk. */
  readonly read?: (path: string) => string;
}

/**
 * Reads and checks a configuration file. Relative paths in it begin in its folder.
 *
 * @throws GatewayConfigError listing every problem, in the order of the file.
 */
export function loadGatewayConfig(path: string, options: LoadOptions = {}): GatewayConfig {
  return gatewayConfigFromText(readText(path, options.read ?? readFile), path, options);
}

/**
 * Checks the text of a configuration file.
 *
 * @param name what problems are reported under; relative paths in the text begin in its folder.
 * @throws GatewayConfigError listing every problem, in the order of the text.
 */
export function gatewayConfigFromText(text: string, name = 'cirque.yaml', options: LoadOptions = {}): GatewayConfig {
  const source = new YamlSource(text, name, options.env ?? process.env);
  if (source.value === undefined) throw new GatewayConfigError(name, inOrder(source.problems));
  const { success, data, error } = gatewaySchema.safeParse(source.value);
  if (!success) source.problems.push(...describeIssues(error.issues, source));
  crossCheck(source);
  const config = success ? withAbsolutePaths(data, dirname(resolve(name))) : undefined;
  if (config !== undefined) source.problems.push(...(options.inspect?.(config, source) ?? []));
  if (config === undefined || source.problems.length > 0) throw new GatewayConfigError(name, inOrder(source.problems));
  for (const warning of inOrder(warningsOf(config, source))) options.warn?.(warning);
  return config;
}

function inOrder(problems: readonly GatewayProblem[]): GatewayProblem[] {
  return problems.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0));
}

function readText(path: string, read: (path: string) => string): string {
  try {
    return read(path);
  } catch (error) {
    const message = `cannot be read: ${error instanceof Error ? error.message : String(error)}`;
    const problem = { file: path, line: undefined, column: undefined, key: undefined, path: '', message };
    throw new GatewayConfigError(path, [problem], error);
  }
}

function readFile(path: string): string {
  const { size } = statSync(path);
  if (size > MAX_FILE_BYTES) throw new Error(`it has ${size} bytes; at most ${MAX_FILE_BYTES} are read`);
  return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path));
}
