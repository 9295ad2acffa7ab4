/**
 * The settings of the server: which there are, and what they accept, is @cirque/core's to say.
 */
import { CONFIGURATION_KEYS, type ConfigurationKey, type ServerConfiguration, serverConfiguration } from '@cirque/core';
import { z } from 'zod';
import { type JsonForm, leaf, Refused, type Scalar } from './leaf.ts';

/** What JSON Schema needs to know beyond the type of the default. */
const FORMS: Readonly<Record<string, JsonForm>> = {
  threads: { anyOf: [{ type: 'integer', minimum: 1, maximum: 256 }, { const: 'auto' }] },
  access_log: { type: ['boolean', 'string'] },
  log_level: { enum: ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] },
  access_log_format: { enum: ['json', 'combined'] },
  version: { const: 1 },
};

/** Values by which is found out what types a key takes. */
const SAMPLES = {
  string: ['/x', 'auto', '027', 'info', 'json'],
  number: [0, 1],
  boolean: [true],
} as const satisfies Record<string, readonly Scalar[]>;

/** Keys whose paths begin elsewhere in a gateway's file than in one of core's: in its folder. */
const MEANINGS: Readonly<Record<string, string>> = {
  working_directory: 'Directory of the daemon. Empty: the one in which it was started.',
};

/** Schemas of the keys of core, by their spelling in a file. */
export const coreShape: Readonly<Record<string, z.ZodOptional<z.ZodType<unknown>>>> = Object.fromEntries(
  CONFIGURATION_KEYS.map((row) => [
    row.key,
    coreValue(row)
      .optional()
      .describe(MEANINGS[row.key] ?? row.meaning),
  ]),
);

/** The settings of a server, from values that have passed {@link coreShape}. */
export function serverFrom(values: Readonly<Record<string, unknown>>): ServerConfiguration {
  const given = CONFIGURATION_KEYS.filter(({ key }) => values[key] !== undefined);
  return serverConfiguration(Object.fromEntries(given.map(({ key, name }) => [name, values[key]])));
}

function coreValue(row: ConfigurationKey): z.ZodType<unknown> {
  if (Array.isArray(row.default)) return coreList(row);
  const types = (['string', 'number', 'boolean'] as const).filter((type) => SAMPLES[type].some(row.accepts));
  const json = FORMS[row.key] ?? { type: typeof row.default };
  return leaf({ title: row.expects, expects: row.expects, types, json }, (given: Scalar) =>
    row.accepts(given) ? given : new Refused(),
  );
}

function coreList(row: ConfigurationKey): z.ZodType<unknown> {
  const expects = row.expects.replace(/^a list of (.*)es$/, 'an $1');
  const form = { title: expects, expects, types: ['string'] as const, json: { type: 'string' } };
  return z.array(leaf(form, (given) => (row.accepts([given]) ? given : new Refused())));
}
