/**
 * Which command is meant: `cirque run -c cirque.yaml`, `cirque check`, and so on; options alone mean `run`.
 */
import { nearestWord } from '@cirque/core';
import { checkCommand } from './commands/check.ts';
import { cliVersion } from './commands/cli-version.ts';
import type { CommandIo } from './commands/command-io.ts';
import { initCommand } from './commands/init.ts';
import { runCommand } from './commands/run.ts';
import { schemaCommand } from './commands/schema.ts';
import { topCommand } from './commands/top.ts';

type Command = (argv: readonly string[], io: CommandIo) => Promise<number | undefined>;

const COMMANDS: Readonly<Record<string, Command>> = {
  run: runCommand,
  check: checkCommand,
  init: initCommand,
  schema: schemaCommand,
  top: topCommand,
};

const HELP = `Usage: cirque COMMAND [options]
       cirque --upstream ADDRESS [--listen ADDRESS]

A gateway for HTTP, TCP and UDP from one YAML file.

Commands:
  run     serve what a file says (-c cirque.yaml; -d in the background, -u upgrade, -t test); the default
  check   look for mistakes in a file
  init    write a file to begin with
  schema  print the JSON Schema of the file, for editors
  top     show what a running gateway does

cirque COMMAND --help tells the options of each. Without a file: cirque --upstream 127.0.0.1:9000
`;

/** Runs a command. Answers its exit code; undefined where the server has set it itself. */
export async function main(argv: readonly string[], io: CommandIo): Promise<number | undefined> {
  const [first, ...rest] = argv;
  if (first === undefined || first === 'help' || first === '--help' || first === '-h') {
    io.stdout.write(HELP);
    return first === undefined ? 2 : 0;
  }
  if (first === '--version') {
    io.stdout.write(`cirque ${cliVersion()} (Node.js ${process.version})\n`);
    return 0;
  }
  if (first.startsWith('-')) return runCommand(argv, io);
  const command = Object.hasOwn(COMMANDS, first) ? COMMANDS[first] : undefined;
  if (command !== undefined) return command(rest, io);
  const nearest = nearestWord(first, Object.keys(COMMANDS));
  const advice = nearest === undefined ? '' : `: did you mean ${nearest}?`;
  io.stderr.write(
    `there is no command ${JSON.stringify(first)}${advice}\nTry cirque --help for the list of commands.\n`,
  );
  return 2;
}
