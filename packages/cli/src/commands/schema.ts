/**
 * `cirque schema`: the JSON Schema of the file, for editors.
 */
import { gatewayJsonSchema } from '../schema/json-schema.ts';
import { type CommandForm, readArguments } from './arguments.ts';
import type { CommandIo } from './command-io.ts';

const FORM: CommandForm = {
  usage: `Usage: cirque schema > cirque.schema.json

Prints the JSON Schema (draft 2020-12) of the configuration file. Editors that know the YAML language server take it
from a comment at the top of the file:

  # yaml-language-server: $schema=cirque.schema.json
`,
  options: {},
  positionals: 0,
};

/** Prints the schema. Answers the exit code: 0, or 2 for words that are not understood. */
export async function schemaCommand(argv: readonly string[], io: CommandIo): Promise<number> {
  const given = readArguments(argv, FORM, io);
  if (typeof given === 'number') return given;
  io.stdout.write(`${JSON.stringify(gatewayJsonSchema(), undefined, 2)}\n`);
  return 0;
}
