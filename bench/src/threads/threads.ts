/**
 * `npm run bench -- threads`: what a second thread brings where load generator, origin and proxy share two cores, and whether
 * connections are spread evenly.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { provide } from '../install.ts';
import { describeMachine } from '../machine.ts';
import { asUsage, listOption, requireKnown, wholeNumberOption } from '../options.ts';
import { roundOrder } from '../rounds.ts';
import type { RunContext } from '../run-context.ts';
import { type Column, drawText } from '../table.ts';
import { countThreads } from './count-threads.ts';
import { figureOf, type Scaling, scalings, type ThreadFigure } from './scaling.ts';
import { SCENES, type Scene, THREAD_ROWS } from './thread-rows.ts';
import { type ThreadSlice, takeThreadSlice } from './thread-slice.ts';
import { ThreadStage, type ThreadTarget } from './thread-stage.ts';

interface ThreadsOptions {
  readonly scenes: readonly Scene[];
  readonly rounds: number;
  readonly sliceMs: number;
  /** Rest between slices, for whoever else uses the machine. */
  readonly pauseMs: number;
}

const WARM_MS = 3_000;
/** Connections whose threads are counted. */
const CONNECTIONS = 1_000;

const HELP = `npm run bench -- threads [options]

  --work NAME,...      ${SCENES.map(({ work }) => work).join(', ')} (default: all)
  --rounds N           passes over all rows (default 8)
  --duration SECONDS   length of one slice (default 2)
  --pause SECONDS      rest between slices, for others who use the machine (default 0)
`;

function parseOptions(argv: readonly string[]): ThreadsOptions | 'help' {
  const text = { type: 'string' } as const;
  const options = {
    work: { ...text, multiple: true },
    rounds: text,
    duration: text,
    pause: text,
    help: { type: 'boolean' },
  } as const;
  const { values } = asUsage(() => parseArgs({ args: [...argv], options }));
  if (values.help === true) return 'help';
  const names = listOption(values.work);
  requireKnown(
    'work',
    names,
    SCENES.map(({ work }) => work),
  );
  return {
    scenes: SCENES.filter(({ work }) => names.length === 0 || names.includes(work)),
    rounds: wholeNumberOption('rounds', values.rounds, 8, 1, 1000),
    sliceMs: wholeNumberOption('duration', values.duration, 2, 1, 60) * 1000,
    pauseMs: wholeNumberOption('pause', values.pause, 0, 0, 60) * 1000,
  };
}

/** Answers the exit code. */
export async function runThreads(argv: readonly string[], run: RunContext): Promise<number> {
  const options = parseOptions(argv);
  if (options === 'help') {
    run.print(HELP);
    return 0;
  }
  const missing = await provide(run, new Set(['nginx']));
  for (const [tool, reason] of missing) throw new Error(`the benchmark cannot run without ${tool}: ${reason}`);
  const { cpu, cores, loadAverage } = describeMachine();
  run.print(`${cpu}, ${cores} cores, load average ${loadAverage.map((value) => value.toFixed(1)).join(' ')}\n`);
  const stage = await ThreadStage.open(run.signal);
  try {
    for (const scene of options.scenes)
      run.print(report(scene, await play(stage, scene, options, run), stage.cores.length));
    run.print(await spread(stage));
    return 0;
  } finally {
    await stage.close();
  }
}

/** Measures the rows of a scene in turn. */
async function play(
  stage: ThreadStage,
  scene: Scene,
  { rounds, sliceMs, pauseMs }: ThreadsOptions,
  run: RunContext,
): Promise<ThreadFigure[]> {
  const targets: ThreadTarget[] = [];
  try {
    for (const row of THREAD_ROWS) {
      const target = await stage.start(row, scene.work);
      if (target !== undefined) targets.push(target);
    }
    const slices = new Map<ThreadTarget, ThreadSlice[]>(targets.map((target) => [target, []]));
    for (const target of targets) await takeThreadSlice(stage, target, WARM_MS);
    for (let round = 0; round < rounds; round += 1) {
      for (const target of roundOrder(targets, round)) {
        await sleep(pauseMs, undefined, { signal: stage.signal });
        slices.get(target)?.push(await takeThreadSlice(stage, target, sliceMs));
      }
      run.say(`${scene.work}: round ${round + 1} of ${rounds}`);
    }
    return targets.map((target) => figureOf(target.row.name, target.row.threads, slices.get(target) ?? []));
  } finally {
    await Promise.all(targets.map((target) => stage.stop(target)));
  }
}

const COLUMNS: readonly Column[] = [
  { title: 'proxy', align: 'left' },
  ...['threads', 'CPU µs/req', 'load µs/req', 'req/s', 'busiest thread %', 'clean'].map(
    (title) => ({ title, align: 'right' }) as const,
  ),
];

function report({ title }: Scene, figures: readonly ThreadFigure[], cores: number): string {
  const rows = figures.map((figure) => [
    figure.row,
    String(figure.threads),
    figure.proxyUs.toFixed(1),
    figure.loadUs.toFixed(1),
    figure.requestsPerSecond.toFixed(0),
    (figure.busiestShare * 100).toFixed(0),
    `${figure.cleanSlices}/${figure.slices}`,
  ]);
  return `\n${title}\n${drawText({ columns: COLUMNS, rows })}\n${scalings(figures, cores).map(sentence).join('')}`;
}

function sentence({ row, threads, cpu, throughput, ceiling, inconclusive }: Scaling): string {
  const doubt = inconclusive ? ' (inconclusive: other programs were at work)' : '';
  return (
    `${row}, ${threads} threads against one: CPU per request ${cpu.toFixed(2)} x, throughput ${throughput.toFixed(2)} x ` +
    `of at most ${ceiling.toFixed(2)} x on these cores${doubt}\n`
  );
}

async function spread(stage: ThreadStage): Promise<string> {
  const row = THREAD_ROWS.find(({ name, threads }) => name === 'cirque' && threads === 2);
  const target = row === undefined ? undefined : await stage.start(row, 'answer');
  if (target === undefined) throw new Error('no row can tell its threads');
  try {
    const counts = await countThreads(target.port, CONNECTIONS, target.row.threads);
    const shares = counts.map((count) => `${((count / CONNECTIONS) * 100).toFixed(1)} %`);
    return `\n${CONNECTIONS} connections to two threads: ${shares.join(', ')}\n`;
  } finally {
    await stage.stop(target);
  }
}
