/**
 * `cirque top`: what a running gateway does, once a second; once only where nobody watches a terminal.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { GatewayConfigError } from '../config/gateway-config-error.ts';
import { loadGatewayConfig } from '../config/load.ts';
import { fetchStats } from '../top/fetch-stats.ts';
import { type Reading, statsPage } from '../top/stats-table.ts';
import type { CommandIo } from './command-io.ts';

const HELP = `Usage: cirque top [-c cirque.yaml | --control ADDRESS] [options]

Shows listeners and servers of a running gateway, and what passes.

  -c, --conf PATH         the file of the gateway, for its key \`control\` (default cirque.yaml)
      --control ADDRESS   its control address: unix:/path or host:port
  -i, --interval SECONDS  time between two looks (default 1)
  -n, --once              look once, print, end; also when the output is no terminal
  -h, --help              print this text and exit
`;

const OPTIONS = {
  conf: { type: 'string', short: 'c' },
  control: { type: 'string' },
  interval: { type: 'string', short: 'i' },
  once: { type: 'boolean', short: 'n' },
  help: { type: 'boolean', short: 'h' },
} as const;

/** Moves to the upper left and clears what is below. */
const CLEAR = '\u001b[H\u001b[J';

/** What a terminal is beside an output. */
interface Terminal {
  readonly isTTY?: boolean;
}

/** Answers the exit code. */
export async function topCommand(argv: readonly string[], io: CommandIo): Promise<number> {
  try {
    const { values } = parseArgs({ args: [...argv], options: OPTIONS });
    if (values.help === true) {
      io.stdout.write(HELP);
      return 0;
    }
    const intervalMs = intervalOf(values.interval);
    const address = values.control ?? controlOf(values.conf ?? 'cirque.yaml');
    const isOnce = values.once === true || (io.stdout as Terminal).isTTY !== true;
    await watch(address, isOnce ? undefined : intervalMs, io);
    return 0;
  } catch (error) {
    io.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return isMisuse(error) ? 2 : 1;
  }
}

/** Prints one page, or one after the other until the program is interrupted. */
async function watch(address: string, intervalMs: number | undefined, io: CommandIo): Promise<void> {
  let before: Reading | undefined;
  do {
    const now: Reading = { stats: await fetchStats(address), at: performance.now() };
    io.stdout.write(`${intervalMs === undefined ? '' : CLEAR}${statsPage(now, before)}`);
    before = now;
    if (intervalMs !== undefined) await sleep(intervalMs);
  } while (intervalMs !== undefined);
}

function controlOf(file: string): string {
  const { control } = loadGatewayConfig(file);
  if (control !== undefined) return control;
  throw new Error(
    `${file} has no key control: add one such as \`control: unix:/run/cirque/control.sock\` and reload, or name the address with --control`,
  );
}

function intervalOf(text = '1'): number {
  const seconds = Number(text);
  if (seconds >= 0.1 && seconds <= 3_600) return seconds * 1_000;
  throw new TypeError(`--interval must be a number of seconds from 0.1 to 3600, got ${JSON.stringify(text)}`);
}

function isMisuse(error: unknown): boolean {
  return error instanceof TypeError && !(error instanceof GatewayConfigError);
}
