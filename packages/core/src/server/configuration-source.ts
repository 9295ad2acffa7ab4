/**
 * Where the settings of a server come from: code, a file, or a function of the program. Read at the start, and again
 * when the server is told to. What a change means for what runs is configuration-changes.ts.
 */
import { resolve } from 'node:path';
import { absolutePaths } from '../daemon/absolute-paths.ts';
import type { Logger } from '../logger.ts';
import type { ServerOptions } from './cli-options.ts';
import { ConfigurationError } from './conf-error.ts';
import { type LoadedConfiguration, loadConfiguration } from './conf-file.ts';
import { type ServerConfiguration, serverConfiguration } from './server-conf.ts';

/** Reads the settings of one server. */
export class ConfigurationSource {
  readonly #options: ServerOptions;
  readonly #given: ServerConfiguration | undefined;
  readonly #logger: Logger;
  /** The way to read them again: undefined where there is nothing to read. */
  readonly #read: ((isFirst: boolean) => LoadedConfiguration) | undefined;

  /**
   * @param given settings from code, which go before everything else.
   * @throws TypeError or RangeError for a wrong setting.
   */
  constructor(options: ServerOptions, given: Partial<ServerConfiguration> | undefined, logger: Logger) {
    this.#options = options;
    this.#given = given === undefined ? undefined : serverConfiguration(given);
    this.#logger = logger;
    this.#read = this.#given === undefined ? reader(options) : undefined;
  }

  /**
   * For the start.
   *
   * @throws ConfigurationError when they cannot be used. With `io`, that is printed instead, and ends the process.
   */
  load(): ServerConfiguration {
    if (this.#given !== undefined) {
      const { conf } = this.#options;
      if (conf !== undefined)
        this.#logger.warn({ conf }, 'the configuration file is ignored: settings were given in code');
      return absolutePaths(this.#given);
    }
    if (this.#read === undefined) return serverConfiguration();
    try {
      return this.#checked(this.#read(true));
    } catch (error) {
      const { io } = this.#options;
      if (io !== undefined && error instanceof ConfigurationError) {
        io.stderr.write(`${error.message}\n`);
        io.exit(1);
      }
      throw error;
    }
  }

  /** Reads them again; undefined where there is nothing to read. Throws as {@link load} does, and prints nothing. */
  reload(): ServerConfiguration | undefined {
    return this.#read === undefined ? undefined : this.#checked(this.#read(false));
  }

  #checked({ configuration, warnings }: LoadedConfiguration): ServerConfiguration {
    for (const warning of warnings) this.#logger.warn(warning);
    return absolutePaths(configuration);
  }
}

/** A path stays the same file, whatever the current directory becomes; messages name it as it was given. */
function reader({ conf, readConfiguration }: ServerOptions): ((isFirst: boolean) => LoadedConfiguration) | undefined {
  if (readConfiguration !== undefined) return () => readConfiguration();
  if (conf === undefined) return undefined;
  const absolute = resolve(conf);
  return (isFirst) => loadConfiguration(isFirst ? conf : absolute, conf);
}
