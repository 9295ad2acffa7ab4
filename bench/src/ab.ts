/**
 * A/B of two builds of the reverse proxy in one interleaved run, judged pair by pair; for changes too small for the
 * comparison. See `paired.ts` for the statistics.
 */
import { parseArgs } from 'node:util';
import { resolveSide } from './ab-side.ts';
import { provide } from './install.ts';
import { requireCores } from './machine.ts';
import { measureSlices } from './measure-slices.ts';
import { asUsage, timedShape, UsageError, wholeNumberOption } from './options.ts';
import { comparePaired, type PairedResult } from './paired.ts';
import type { RowOutcome, SlicesFigure } from './results.ts';
import type { RunContext } from './run-context.ts';
import type { Shape } from './shapes.ts';
import { Stage } from './stage.ts';

export interface AbOptions {
  readonly a: string;
  readonly b: string;
  readonly shape: Shape;
  readonly rounds: number;
  readonly sliceMs: number;
  readonly warmMs: number;
}

const HELP = `npm run bench -- ab --a SIDE --b SIDE [options]

  SIDE is a working folder, a commit (unpacked and installed in a temporary folder), or a command line with
  {port} and {origin}, such as "node server.mjs --listen 127.0.0.1:{port} --upstream 127.0.0.1:{origin}"

  --shape NAME         one of the timed shapes (default 1k)
  --rounds N           pairs (default 30)
  --duration SECONDS   length of one slice (default 1)
  --warm SECONDS       untimed load before the first slice (default 5)
`;

/** Options of `ab`, or `'help'`. */
export function parseAbOptions(argv: readonly string[]): AbOptions | 'help' {
  const text = { type: 'string' } as const;
  const options = {
    a: text,
    b: text,
    shape: text,
    rounds: text,
    duration: text,
    warm: text,
    help: { type: 'boolean' },
  } as const;
  const { values } = asUsage(() => parseArgs({ args: [...argv], options }));
  if (values.help === true) return 'help';
  if (values.a === undefined || values.b === undefined) throw new UsageError('ab needs both --a and --b');
  return {
    a: values.a,
    b: values.b,
    shape: timedShape(values.shape ?? '1k'),
    rounds: wholeNumberOption('rounds', values.rounds, 30, 1, 1000),
    sliceMs: wholeNumberOption('duration', values.duration, 1, 1, 60) * 1000,
    warmMs: wholeNumberOption('warm', values.warm, 5, 1, 60) * 1000,
  };
}

/** The verdict in words. Pure. */
export function describePaired(result: PairedResult): string {
  const percent = (ratio: number): string => `${ratio >= 1 ? '+' : ''}${((ratio - 1) * 100).toFixed(1)} %`;
  const interval = result.interval;
  const range =
    interval === undefined
      ? 'too few pairs for an interval'
      : `95 %: ${percent(interval[0])} to ${percent(interval[1])}`;
  return `b costs ${percent(result.ratio)} CPU per request against a (${range}; ${result.pairs} pairs, ${result.dropped} dropped): ${result.verdict}`;
}

function describeSide({ row, title, figure }: RowOutcome<SlicesFigure>): string {
  if (figure.kind !== 'slices') return `${row}  ${title}\n   ${figure.kind}: ${figure.reason}`;
  const { cpuUs, cpuUsAllSlices, requestsPerSecond, kernelShare = 0 } = figure.estimate;
  const kernel = (kernelShare * 100).toFixed(0);
  return `${row}  ${title}\n   CPU ${cpuUs.toFixed(2)} µs/req (all slices ${cpuUsAllSlices.toFixed(2)}), kernel ${kernel} %, ${requestsPerSecond.toFixed(0)} req/s`;
}

/** `npm run bench -- ab`. Answers the exit code. */
export async function runAb(argv: readonly string[], run: RunContext): Promise<number> {
  const options = parseAbOptions(argv);
  if (options === 'help') {
    run.print(HELP);
    return 0;
  }
  const missing = await provide(run, new Set());
  for (const [tool, reason] of missing) throw new Error(`the benchmark cannot run without ${tool}: ${reason}`);
  const stage = await Stage.open(requireCores(), run.signal);
  try {
    const context = { directory: stage.directory, say: run.say };
    const rows = [resolveSide('a', options.a, context), resolveSide('b', options.b, context)];
    const entrants = rows.map((row) => ({ row, slices: [], target: undefined, noFigure: undefined }));
    const outcomes = await measureSlices(stage, entrants, options.shape, options, run.say);
    for (const outcome of outcomes) run.print(`${describeSide(outcome)}\n`);
    const slices = outcomes.flatMap(({ figure }) => (figure.kind === 'slices' ? figure.slices : []));
    const result = comparePaired(slices, 'a', 'b');
    run.print(`${result === undefined ? 'no round has two clean slices' : describePaired(result)}\n`);
    return outcomes.some(({ figure }) => figure.kind !== 'slices') ? 1 : 0;
  } finally {
    await stage.close();
  }
}
