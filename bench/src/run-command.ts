/**
 * Runs a command of the benchmark as the whole of a process: exit code, and Ctrl-C that ends everything that was started.
 */
import { UsageError } from './options.ts';
import type { RunContext } from './run-context.ts';

/** Answers the exit code. */
export type Command = (argv: readonly string[], run: RunContext) => Promise<number>;

function createRunContext(name: string): RunContext {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      // The second one does not wait; what still runs is killed by the exit listener of the stage.
      if (stop.signal.aborted) process.exit(130);
      process.stderr.write('\nstopping\n');
      stop.abort(new Error(`stopped by ${signal}`));
    });
  }
  return {
    say: (line) => void process.stderr.write(`${name}: ${line}\n`),
    print: (text) => void process.stdout.write(text),
    signal: stop.signal,
  };
}

function exitCodeFor(error: unknown, name: string, run: RunContext): number {
  if (run.signal.aborted) return 130;
  if (error instanceof UsageError) {
    run.say(`${error.message}\n${name}: see npm run ${name} -- --help`);
    return 2;
  }
  run.say(error instanceof Error ? error.message : String(error));
  return 1;
}

/** @param name the script of package.json that has started this process. */
export async function runCommand(name: string, command: Command): Promise<void> {
  const run = createRunContext(name);
  try {
    process.exitCode = await command(process.argv.slice(2), run);
  } catch (error) {
    process.exitCode = exitCodeFor(error, name, run);
  }
}
