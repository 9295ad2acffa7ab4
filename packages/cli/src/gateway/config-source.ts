/**
 * Where the configuration of a gateway comes from, and which one was read last.
 */
import type { LoadedConfiguration } from '@cirque/core';
import type { GatewayConfig } from '../config/gateway-config.ts';

/** A configuration, with what looks odd in it and does no harm. */
export interface Reading {
  readonly config: GatewayConfig;
  readonly warnings: readonly string[];
}

/** Reads a configuration anew each time it is asked; what the server takes of it and what the gateway takes is one reading. */
export class ConfigSource {
  readonly #load: () => Reading;
  #last: GatewayConfig | undefined;

  /** @param load throws GatewayConfigError for a file that cannot be used. */
  constructor(load: () => Reading) {
    this.#load = load;
  }

  /** What was read last. */
  get last(): GatewayConfig | undefined {
    return this.#last;
  }

  /** For `ServerOptions.readConfiguration`. @throws GatewayConfigError that lists every problem. */
  readonly read = (): LoadedConfiguration => {
    const { config, warnings } = this.#load();
    this.#last = config;
    return { configuration: config.server, warnings };
  };
}
