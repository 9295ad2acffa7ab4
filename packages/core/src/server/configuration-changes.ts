/**
 * What a configuration that was read again changes: some settings while the server runs, others with its next start.
 */
import { isDeepStrictEqual } from 'node:util';
import { CONFIGURATION_KEYS, type ConfigurationKey } from './conf-keys.ts';
import type { ServerConfiguration } from './server-conf.ts';

/** One setting with its old and its new value, for the log. */
export interface ConfigurationChange {
  readonly key: string;
  /** Absent for settings of the user's own, which may be secrets. */
  readonly from?: unknown;
  readonly to?: unknown;
}

/** The outcome of reading a configuration again. */
export interface ConfigurationChanges {
  /** The settings from now on: the new ones, but for those that need a start. */
  readonly configuration: ServerConfiguration;
  /** What is different from now on. */
  readonly live: readonly ConfigurationChange[];
  /** What will be different after the next start or upgrade. */
  readonly restart: readonly ConfigurationChange[];
}

/** Compares two configurations. Settings of the user's own (`extra`) are live: who reads them decides. */
export function configurationChanges(old: ServerConfiguration, next: ServerConfiguration): ConfigurationChanges {
  const changed = CONFIGURATION_KEYS.filter(({ name }) => !isDeepStrictEqual(old[name], next[name]));
  const waiting = changed.filter((row) => !isLive(row, old, next));
  const kept = Object.fromEntries(waiting.map(({ name }) => [name, old[name]]));
  const describe = ({ key, name }: ConfigurationKey): ConfigurationChange => ({ key, from: old[name], to: next[name] });
  const extra = isDeepStrictEqual(old.extra, next.extra) ? [] : [{ key: 'extra' }];
  return {
    configuration: Object.freeze({ ...next, ...kept }),
    live: [...changed.filter((row) => !waiting.includes(row)).map(describe), ...extra],
    restart: waiting.map(describe),
  };
}

/** The access log can be switched on and off in the server's log; a file is opened once. */
function isLive({ name, reload }: ConfigurationKey, old: ServerConfiguration, next: ServerConfiguration): boolean {
  if (name === 'accessLog') return typeof old.accessLog === 'boolean' && typeof next.accessLog === 'boolean';
  return reload === 'live';
}
