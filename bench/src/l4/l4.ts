/**
 * `npm run bench -- l4`: proxies of TCP and UDP side by side.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { dirname, join } from 'node:path';
import { provide } from '../install.ts';
import { collectVersions, describeMachine } from '../machine.ts';
import { BENCH_FOLDER, RESULTS_FOLDER } from '../places.ts';
import type { ShapeOutcome } from '../results.ts';
import type { RunContext } from '../run-context.ts';
import { L4_HELP, type L4Options, parseL4Options } from './l4-options.ts';
import { type L4Result, l4ReportMarkdown, l4ReportText } from './l4-report.ts';
import { L4Stage } from './l4-stage.ts';
import { measureL4 } from './measure-l4.ts';
import { withResults } from './readme-section.ts';

/** Programs that take no part are not told of. */
const VERSIONS: readonly string[] = ['cirque', 'node', 'nginx', 'haproxy', 'wrk'];

/** Answers the exit code: 1 when a row failed. */
export async function runL4(argv: readonly string[], run: RunContext): Promise<number> {
  const options = parseL4Options(argv);
  if (options === 'help') {
    run.print(L4_HELP);
    return 0;
  }
  const startedAt = new Date().toISOString();
  const machine = describeMachine();
  const shapes = await measureShapes(options, run);
  const versions = Object.entries(collectVersions()).filter(([name]) => VERSIONS.includes(name));
  const result: L4Result = {
    format: 'cirque-bench-l4-1',
    startedAt,
    endedAt: new Date().toISOString(),
    machine,
    loadAverageAtEnd: loadavg(),
    versions: Object.fromEntries(versions),
    shapes,
  };
  run.print(`\n${l4ReportText(result)}\nwritten: ${write(result, options.out)}.json and .md\n`);
  if (options.readme) {
    const file = join(BENCH_FOLDER, 'README.md');
    writeFileSync(file, withResults(readFileSync(file, 'utf8'), l4ReportMarkdown(result)));
  }
  return shapes.some((shape) => shape.rows.some((row) => row.figure.kind === 'failed')) ? 1 : 0;
}

async function measureShapes(options: L4Options, run: RunContext): Promise<ShapeOutcome[]> {
  const { shapes, rows } = options;
  const missing = await provide(run, new Set(['nginx-stream', ...rows.map(({ needs }) => needs)]));
  run.signal.throwIfAborted();
  for (const tool of ['nginx', 'nginx-stream', 'wrk'] as const) {
    if (missing.has(tool)) throw new Error(`the benchmark cannot run without ${tool}: ${missing.get(tool)}`);
  }
  const l4 = await L4Stage.open(run.signal);
  try {
    const outcomes: ShapeOutcome[] = [];
    for (const shape of shapes) {
      run.say(`${shape.name}: ${shape.title}`);
      const measured = await measureL4(l4, shape, rows, options, missing, run.say);
      outcomes.push({ shape: shape.name, title: shape.title, rows: measured });
    }
    return outcomes;
  } finally {
    await l4.close();
  }
}

function write(result: L4Result, out: string | undefined): string {
  const base = out ?? join(RESULTS_FOLDER, `l4-${result.startedAt.slice(0, 19).replaceAll(':', '')}`);
  mkdirSync(dirname(base), { recursive: true });
  writeFileSync(`${base}.json`, `${JSON.stringify(result, undefined, 1)}\n`);
  writeFileSync(`${base}.md`, l4ReportMarkdown(result));
  return base;
}
