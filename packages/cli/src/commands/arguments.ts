/**
 * Words behind a command, for those that are no servers: options, file names, `--help`.
 */
import { parseArgs } from 'node:util';
import type { CommandIo } from './command-io.ts';

/** What a command understands besides `--help`. */
export interface CommandForm {
  /** The text of `--help`. */
  readonly usage: string;
  readonly options: Readonly<Record<string, { readonly type: 'string' | 'boolean'; readonly short?: string }>>;
  /** How many names of files there may be. */
  readonly positionals: number;
}

/** What was given. */
export interface GivenArguments {
  readonly values: Readonly<Record<string, string | boolean | undefined>>;
  readonly positionals: readonly string[];
}

/** The words, or the exit code of a command that has nothing more to do: 0 after the help, 2 after a mistake. */
export function readArguments(argv: readonly string[], form: CommandForm, io: CommandIo): GivenArguments | number {
  try {
    const options = { ...form.options, help: { type: 'boolean', short: 'h' } } as const;
    const { values, positionals } = parseArgs({ args: [...argv], options, allowPositionals: true });
    if (values.help === true) {
      io.stdout.write(form.usage);
      return 0;
    }
    const extra = positionals[form.positionals];
    if (extra === undefined) return { values: values as GivenArguments['values'], positionals };
    io.stderr.write(`unexpected argument ${JSON.stringify(extra)}\nTry --help.\n`);
  } catch (error) {
    io.stderr.write(`${(error as Error).message}\nTry --help.\n`);
  }
  return 2;
}
