/**
 * Entry of `npm run bench`: picks the command.
 */
import { runAb } from './ab.ts';
import { compare } from './compare.ts';
import { runL4 } from './l4/l4.ts';
import { runProfile } from './profile.ts';
import { type Command, runCommand } from './run-command.ts';
import { runThreads } from './threads/threads.ts';

const COMMANDS: Readonly<Record<string, Command>> = {
  ab: runAb,
  l4: runL4,
  profile: runProfile,
  threads: runThreads,
};

await runCommand('bench', (argv, run) => {
  const [word = '', ...rest] = argv;
  const command = COMMANDS[word];
  return command === undefined ? compare(argv, run) : command(rest, run);
});
