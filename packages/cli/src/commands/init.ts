/**
 * `cirque init`: writes a file to begin with.
 */
import { writeFileSync } from 'node:fs';
import { type CommandForm, readArguments } from './arguments.ts';
import type { CommandIo } from './command-io.ts';
import { STARTER_FILE } from './starter-file.ts';

const FORM: CommandForm = {
  usage: `Usage: cirque init [cirque.yaml]

Writes a commented configuration file to begin with; - writes to standard output.

      --force  write over a file that is there
  -h, --help   print this text and exit
`,
  options: { force: { type: 'boolean' } },
  positionals: 1,
};

/** Writes the file. Answers the exit code: 0, 1 when it cannot be written, 2 for words that are not understood. */
export async function initCommand(argv: readonly string[], io: CommandIo): Promise<number> {
  const given = readArguments(argv, FORM, io);
  if (typeof given === 'number') return given;
  const path = given.positionals[0] ?? 'cirque.yaml';
  if (path === '-') {
    io.stdout.write(STARTER_FILE);
    return 0;
  }
  try {
    writeFileSync(path, STARTER_FILE, { flag: given.values.force === true ? 'w' : 'wx' });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = code === 'EEXIST' ? 'is there already: --force writes over it' : `cannot be written: ${message}`;
    io.stderr.write(`${path} ${reason}\n`);
    return 1;
  }
  io.stdout.write(`${path} is written: change it, then cirque check ${path} and cirque run -c ${path}\n`);
  return 0;
}
