/**
 * From a file, or a text, to a checked configuration.
 */
import type { GatewayConfig } from './gateway-config.ts';
import type { GatewayProblem } from './gateway-config-error.ts';

/** What loading needs besides the file. */
export interface LoadOptions {
  /** The variables that `${NAME}` stands for. Default: those of the process. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Is told of what looks odd, and does no harm: routes that are never reached, upstreams that nothing uses. Default: nobody. */
  readonly warn?: (warning: GatewayProblem) => void;
  /** Reads the file. Default: from the disk. */
  readonly read?: (path: string) => string;
}

/**
 * Reads and checks a configuration file.
 *
 * @throws GatewayConfigError listing every problem.
 */
export function loadGatewayConfig(path: string, options: LoadOptions = {}): GatewayConfig {
  throw new Error(`not there yet: ${path} ${Object.keys(options)}`);
}

/**
 * Checks the text of a configuration file.
 *
 * @param name what problems are reported under; relative paths in the text begin in its folder.
 * @throws GatewayConfigError listing every problem.
 */
export function gatewayConfigFromText(text: string, name = 'cirque.yaml', options: LoadOptions = {}): GatewayConfig {
  throw new Error(`not there yet: ${name} ${text} ${Object.keys(options)}`);
}
