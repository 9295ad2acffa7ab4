/**
 * Plays rows of the soak (bench/src/soak) in their short form against Cirque alone, in a process of their own.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { requireTool } from '@cirque-internal/config/system-tools';
import { ScratchFolder } from '../src/scratch-folder.ts';

const PROGRAM = fileURLToPath(new URL('../../bench/src/soak/main.ts', import.meta.url));
/** Far more than any row needs. */
export const ROW_TIMEOUT_MS = 60_000;
const KILL_AFTER_MS = 5_000;
/** The origin, and the generators that the soak asks for. */
const TOOLS = ['nginx', 'wrk', 'h2load', 'taskset', 'setpriv', 'prlimit'];

/** What came out for Cirque. */
export interface Outcome {
  readonly figures: readonly { readonly name: string; readonly value: number }[];
  readonly broken: readonly string[];
  readonly failed?: string;
}

/** Why the soak cannot run here; undefined when it can. */
export function whyNoSoak(): string | undefined {
  if (process.platform !== 'linux') return 'the soak reads /proc';
  if (availableParallelism() < 2) return 'the soak needs two cores';
  return TOOLS.map((tool) => requireTool(tool).reason).find((reason) => reason !== undefined);
}

/** Plays one row. Throws with all that was printed when nothing came out. */
export async function playRow(row: string): Promise<Outcome> {
  const folder = await ScratchFolder.make();
  try {
    const file = folder.path('result.json');
    const output = await run(['--short', '--only', 'cirque', '--rows', row, '--out', file]);
    const text = await readFile(file, 'utf8').catch(() => {
      throw new Error(`the soak wrote no result:\n${output}`);
    });
    const { scenes } = JSON.parse(text) as { scenes: { performances: Outcome[] }[] };
    const outcome = scenes[0]?.performances[0];
    if (outcome === undefined) throw new Error(`the soak did not play ${row}:\n${output}`);
    return outcome;
  } finally {
    await folder.remove();
  }
}

/** Answers all that was printed. */
async function run(args: readonly string[]): Promise<string> {
  const words = ['--conditions=@cirque/source', PROGRAM, ...args];
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const collect = (piece: Buffer): void => {
    output += piece.toString();
  };
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  // SIGTERM lets it end what it has started.
  const stop = setTimeout(() => child.kill('SIGTERM'), ROW_TIMEOUT_MS - 2 * KILL_AFTER_MS);
  const kill = setTimeout(() => child.kill('SIGKILL'), ROW_TIMEOUT_MS - KILL_AFTER_MS);
  await once(child, 'close');
  clearTimeout(stop);
  clearTimeout(kill);
  return output;
}
