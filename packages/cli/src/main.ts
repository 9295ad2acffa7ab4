/**
 * Which command is meant: `cirque run -c cirque.yaml`, `cirque check`, and so on; options alone mean `run`.
 */
import { nearestWord } from '@cirque/core';
import { cliVersion } from './commands/cli-version.ts';
import type { CommandIo } from './commands/command-io.ts';

type Command = (argv: readonly string[], io: CommandIo) => Promise<number | undefined>;

/** Each is loaded when it is meant: a gateway, and each of its threads, does without what checks files. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  run: async () => (await import('./commands/run.ts')).runCommand,
  check: async () => (await import('./commands/check.ts')).checkCommand,
  init: async () => (await import('./commands/init.ts')).initCommand,
  schema: async () => (await import('./commands/schema.ts')).schemaCommand,
  top: async () => (await import('./commands/top.ts')).topCommand,
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
  const [name, words] = first.startsWith('-') ? ['run', argv] : [first, rest];
  const load = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (load !== undefined) return (await load())(words, io);
  const nearest = nearestWord(first, Object.keys(COMMANDS));
  const advice = nearest === undefined ? '' : `: did you mean ${nearest}?`;
  io.stderr.write(
    `there is no command ${JSON.stringify(first)}${advice}\nTry cirque --help for the list of commands.\n`,
  );
  return 2;
}
