/**
 * The side-by-side comparison: provides what the rows need, measures shape by shape, writes and prints the result.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { dirname, join } from 'node:path';
import { type Entrant, measureEach } from './entrants.ts';
import { type Missing, provide } from './install.ts';
import { collectVersions, describeMachine, requireCores } from './machine.ts';
import { measureIdle } from './measure-idle.ts';
import { measureSlices } from './measure-slices.ts';
import { measureSoak } from './measure-soak.ts';
import { COMPARE_HELP, type CompareOptions, parseCompareOptions } from './options.ts';
import { RESULTS_FOLDER } from './places.ts';
import { reportMarkdown, reportText } from './report.ts';
import type { Figure, RowOutcome, RunResult, ShapeOutcome } from './results.ts';
import { REFERENCE_ROW, ROWS, type Row, speaks } from './rows.ts';
import type { RunContext } from './run-context.ts';
import { SHAPES, type Shape } from './shapes.ts';
import { Stage } from './stage.ts';
import { usesHttp2 } from './traffic.ts';

/** The rows to run: nginx always, because it is what the others are compared with. */
export function chooseRows(options: Pick<CompareOptions, 'only' | 'without'>): Row[] {
  return ROWS.filter(({ name }) => {
    if (name === REFERENCE_ROW) return true;
    return (options.only.length === 0 || options.only.includes(name)) && !options.without.includes(name);
  });
}

/** Rows of this shape: measurements of memory leave out those that say nothing there, unless asked for by name. */
function rowsFor(shape: Shape, rows: readonly Row[], only: readonly string[]): readonly Row[] {
  const able = rows.filter((row) => speaks(row, shape));
  return shape.kind === 'slices' ? able : able.filter((row) => row.memory || only.includes(row.name));
}

function enterAll(rows: readonly Row[], missing: Missing): Entrant[] {
  return rows.map((row) => {
    const reason = missing.get(row.needs);
    const noFigure = reason === undefined ? undefined : ({ kind: 'skipped', reason } as const);
    return { row, slices: [], target: undefined, noFigure };
  });
}

function measure(
  stage: Stage,
  shape: Shape,
  entrants: Entrant[],
  options: CompareOptions,
  run: RunContext,
): Promise<RowOutcome<Figure>[]> {
  if (shape.kind === 'idle') return measureEach(stage, entrants, shape, measureIdle, run.say);
  if (shape.kind === 'soak') return measureEach(stage, entrants, shape, measureSoak, run.say);
  return measureSlices(stage, entrants, shape, options, run.say);
}

/** Minutes that the timed shapes take, roughly; the memory shapes come on top. */
function expectedMinutes(options: CompareOptions, rows: number): number {
  const timed = SHAPES.filter((shape) => shape.kind === 'slices' && options.shapes.includes(shape.name)).length;
  return (timed * rows * (options.warmMs + options.rounds * (options.sliceMs + 150))) / 60_000;
}

function writeResult(result: RunResult): string {
  const base = result.options.out ?? join(RESULTS_FOLDER, result.startedAt.slice(0, 19).replaceAll(':', ''));
  mkdirSync(dirname(base), { recursive: true });
  writeFileSync(`${base}.json`, `${JSON.stringify(result, undefined, 1)}\n`);
  writeFileSync(`${base}.md`, reportMarkdown(result));
  return base;
}

async function measureShapes(
  options: CompareOptions,
  rows: readonly Row[],
  missing: Missing,
  run: RunContext,
): Promise<ShapeOutcome[]> {
  const stage = await Stage.open(requireCores(), run.signal);
  try {
    const outcomes: ShapeOutcome[] = [];
    for (const shape of SHAPES.filter(({ name }) => options.shapes.includes(name))) {
      const entrants = enterAll(rowsFor(shape, rows, options.only), missing);
      run.say(`${shape.name}: ${shape.title}; ${entrants.length} rows`);
      outcomes.push({
        shape: shape.name,
        title: shape.title,
        rows: await measure(stage, shape, entrants, options, run),
      });
    }
    return outcomes;
  } finally {
    await stage.close();
  }
}

/** `npm run bench`. Answers the exit code: 1 when a row failed. */
export async function compare(argv: readonly string[], run: RunContext): Promise<number> {
  const options = parseCompareOptions(
    argv,
    ROWS.map((row) => row.name),
  );
  if (options === 'help') {
    run.print(`${COMPARE_HELP}\n\nrows: ${ROWS.map((row) => row.name).join(', ')}\n`);
    return 0;
  }
  const rows = chooseRows(options);
  requireCores();
  const missing = await provide(run, new Set(rows.map((row) => row.needs)));
  run.signal.throwIfAborted();
  const http2 = SHAPES.some((shape) => options.shapes.includes(shape.name) && usesHttp2(shape.client));
  for (const tool of ['nginx', 'wrk', ...(http2 ? (['h2load'] as const) : [])] as const) {
    if (missing.has(tool)) throw new Error(`the benchmark cannot run without ${tool}: ${missing.get(tool)}`);
  }
  run.say(`the timed shapes take about ${expectedMinutes(options, rows.length).toFixed(0)} minutes`);
  const machine = describeMachine();
  const startedAt = new Date().toISOString();
  const shapes = await measureShapes(options, rows, missing, run);
  const result: RunResult = {
    format: 'cirque-bench-1',
    startedAt,
    endedAt: new Date().toISOString(),
    machine,
    loadAverageAtEnd: loadavg(),
    versions: collectVersions(),
    options,
    shapes,
  };
  run.print(`\n${reportText(result)}\nwritten: ${writeResult(result)}.json and .md\n`);
  return shapes.some((shape) => shape.rows.some((row) => row.figure.kind === 'failed')) ? 1 : 0;
}
