/**
 * `cirque check`: looks for mistakes in a configuration file, and for files that it names and that are not there.
 */
import type { GatewayConfig } from '../config/gateway-config.ts';
import { GatewayConfigError, problemLine } from '../config/gateway-config-error.ts';
import { loadGatewayConfig } from '../config/load.ts';
import { missingFiles } from '../config/missing-files.ts';
import { type CommandForm, readArguments } from './arguments.ts';
import type { CommandIo } from './command-io.ts';

const FORM: CommandForm = {
  usage: `Usage: cirque check [-c] [cirque.yaml]

Looks for mistakes in a configuration file, and for certificates and other files that it names.

  -c, --conf PATH  the file (default cirque.yaml)
  -q, --quiet      print problems only
  -h, --help       print this text and exit

Exit codes: 0 all is well, 1 the file has problems, 2 the words of the command are wrong.
`,
  options: { conf: { type: 'string', short: 'c' }, quiet: { type: 'boolean', short: 'q' } },
  positionals: 1,
};

/** Checks a file. Answers the exit code. */
export async function checkCommand(argv: readonly string[], io: CommandIo): Promise<number> {
  const given = readArguments(argv, FORM, io);
  if (typeof given === 'number') return given;
  const { values, positionals } = given;
  if (values.conf !== undefined && positionals.length > 0) {
    io.stderr.write('one file at a time: give it with -c or without\nTry --help.\n');
    return 2;
  }
  const path = String(values.conf ?? positionals[0] ?? 'cirque.yaml');
  try {
    const warn = (line: string): unknown => (values.quiet === true ? undefined : io.stderr.write(`warning: ${line}\n`));
    const config = loadGatewayConfig(path, { inspect: missingFiles, warn: (warning) => warn(problemLine(warning)) });
    if (values.quiet !== true) io.stdout.write(`ok: ${summary(config)}\n`);
    return 0;
  } catch (error) {
    if (!(error instanceof GatewayConfigError)) throw error;
    io.stderr.write(`${error.message}\n`);
    return 1;
  }
}

function summary({ listeners, upstreams }: GatewayConfig): string {
  return `${count(listeners.length, 'listener')}, ${count(Object.keys(upstreams).length, 'upstream')}`;
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
