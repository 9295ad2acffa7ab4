/**
 * Entry of `npm run bench`: picks the command, and sees to it that Ctrl-C ends everything that was started.
 */
import { runAb } from './ab.ts';
import { compare } from './compare.ts';
import { UsageError } from './options.ts';
import { runProfile } from './profile.ts';
import type { RunContext } from './run-context.ts';

const COMMANDS: Readonly<Record<string, (argv: readonly string[], run: RunContext) => Promise<number>>> = {
  ab: runAb,
  profile: runProfile,
};

function createRunContext(): RunContext {
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      // The second one does not wait; what still runs is killed by the exit listener of the stage.
      if (stop.signal.aborted) process.exit(130);
      process.stderr.write('\nstopping\n');
      stop.abort(new Error(`stopped by ${name}`));
    });
  }
  return {
    say: (line) => void process.stderr.write(`bench: ${line}\n`),
    print: (text) => void process.stdout.write(text),
    signal: stop.signal,
  };
}

function exitCodeFor(error: unknown, run: RunContext): number {
  if (run.signal.aborted) return 130;
  if (error instanceof UsageError) {
    run.say(`${error.message}\nbench: see npm run bench -- --help`);
    return 2;
  }
  run.say(error instanceof Error ? error.message : String(error));
  return 1;
}

const run = createRunContext();
const [word = '', ...rest] = process.argv.slice(2);
const command = COMMANDS[word];
try {
  process.exitCode = await (command === undefined ? compare(process.argv.slice(2), run) : command(rest, run));
} catch (error) {
  process.exitCode = exitCodeFor(error, run);
}
