/**
 * Where the time goes: one row that Node runs, under `--cpu-prof` and load; prints the functions and files with the
 * most self time, in microseconds per request. Only samples taken under load after the warm-up count.
 */
import { copyFileSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { byFile, type CpuProfile, type ProfileWindow, type SelfTime, selfTimes, withoutIdle } from './cpu-profile.ts';
import { cpuUsPerRequest, type Slice } from './estimator.ts';
import { provide } from './install.ts';
import { applyLoad, takeSlice } from './load.ts';
import { requireCores } from './machine.ts';
import { asUsage, requireKnown, timedShape, wholeNumberOption } from './options.ts';
import { REPOSITORY_FOLDER, RESULTS_FOLDER } from './places.ts';
import { ROWS, type Row } from './rows.ts';
import type { RunContext } from './run-context.ts';
import type { Shape } from './shapes.ts';
import { Stage } from './stage.ts';
import { drawText } from './table.ts';
import { verifyProxy } from './verify.ts';

export interface ProfileOptions {
  readonly row: Row;
  readonly shape: Shape;
  readonly durationMs: number;
  readonly warmMs: number;
  readonly top: number;
  /** Copy of the profile, for a viewer. */
  readonly out: string;
}

const PROFILABLE = ROWS.filter((row) => row.needs === 'node' || row.needs === 'npm-peers');
const EXIT_ON_TERM = new URL('./exit-on-term.mjs', import.meta.url).href;

const HELP = `npm run bench -- profile [options]

  --row ROW            ${PROFILABLE.map((row) => row.name).join(', ')} (default cirque)
  --shape NAME         one of the timed shapes (default 1k)
  --duration SECONDS   profiled load (default 8)
  --warm SECONDS       load before it (default 3)
  --top N              functions to print (default 30)
  --out FILE           copy of the profile, which a browser's developer tools open
                       (default bench/results/<row>.cpuprofile)
`;

/** Options of `profile`, or `'help'`. */
export function parseProfileOptions(argv: readonly string[]): ProfileOptions | 'help' {
  const text = { type: 'string' } as const;
  const options = {
    row: text,
    shape: text,
    duration: text,
    warm: text,
    top: text,
    out: text,
    help: { type: 'boolean' },
  } as const;
  const { values } = asUsage(() => parseArgs({ args: [...argv], options }));
  if (values.help === true) return 'help';
  const name = values.row ?? 'cirque';
  requireKnown(
    'row',
    [name],
    PROFILABLE.map((row) => row.name),
  );
  return {
    row: PROFILABLE.find((row) => row.name === name) as Row,
    shape: timedShape(values.shape ?? '1k'),
    durationMs: wholeNumberOption('duration', values.duration, 8, 1, 600) * 1000,
    warmMs: wholeNumberOption('warm', values.warm, 3, 1, 60) * 1000,
    top: wholeNumberOption('top', values.top, 30, 1, 1000),
    out: values.out ?? join(RESULTS_FOLDER, `${name}.cpuprofile`),
  };
}

const nowUs = (): number => Number(process.hrtime.bigint() / 1000n);

interface Recording {
  readonly profile: CpuProfile;
  readonly window: ProfileWindow;
  readonly slice: Slice;
}

/** Runs the row under load and reads the profile that it leaves behind. */
async function record(stage: Stage, options: ProfileOptions): Promise<Recording> {
  const { row, shape } = options;
  const directory = join(stage.directory, 'profile');
  // 200 µs is fine enough for functions that take 0.1 µs per request, and costs some 5 % itself.
  const flags = ['--cpu-prof', `--cpu-prof-dir=${directory}`, '--cpu-prof-interval=200', '--import', EXIT_ON_TERM];
  const target = await stage.start(row, shape, flags);
  await verifyProxy(target.port, shape, stage.content, row.editsFields ?? false);
  await applyLoad(stage, target, shape, options.warmMs);
  const fromUs = nowUs();
  const slice = await takeSlice(stage, target, shape, { durationMs: options.durationMs, round: 0 });
  const untilUs = nowUs();
  await stage.stop(target);
  const [file] = readdirSync(directory).filter((name) => name.endsWith('.cpuprofile'));
  if (file === undefined) throw new Error(`${row.name} wrote no profile`);
  mkdirSync(dirname(options.out), { recursive: true });
  copyFileSync(join(directory, file), options.out);
  const profile = JSON.parse(readFileSync(join(directory, file), 'utf8')) as CpuProfile;
  return { profile, window: { fromUs, untilUs }, slice };
}

function draw(times: readonly SelfTime[], requests: number, top: number): string {
  const total = times.reduce((sum, time) => sum + time.selfUs, 0);
  return drawText({
    columns: [
      { title: 'self µs/req', align: 'right' },
      { title: '%', align: 'right' },
      { title: 'function', align: 'left' },
      { title: 'where', align: 'left' },
    ],
    rows: times
      .slice(0, top)
      .map(({ name, file, selfUs }) => [
        (selfUs / requests).toFixed(2),
        ((selfUs / total) * 100).toFixed(1),
        name,
        file,
      ]),
  });
}

/** The report of one recording. Pure but for the place of the repository. */
export function describeRecording({ profile, window, slice }: Recording, top: number): string {
  const times = withoutIdle(selfTimes(profile, window, REPOSITORY_FOLDER));
  const cpu = cpuUsPerRequest(slice).toFixed(1);
  const head = `${slice.row}: ${slice.requests} requests, ${cpu} µs CPU each (profiler included); "(native)" is C++ and kernel work that JavaScript called`;
  return `${head}\n\n${draw(times, slice.requests, top)}\n\n${draw(byFile(times), slice.requests, 15)}\n`;
}

/** `npm run bench -- profile`. Answers the exit code. */
export async function runProfile(argv: readonly string[], run: RunContext): Promise<number> {
  const options = parseProfileOptions(argv);
  if (options === 'help') {
    run.print(HELP);
    return 0;
  }
  const missing = await provide(run, new Set([options.row.needs]));
  for (const [tool, reason] of missing) throw new Error(`the profile cannot be taken without ${tool}: ${reason}`);
  const stage = await Stage.open(requireCores(), run.signal);
  try {
    const recording = await record(stage, options);
    run.print(`${describeRecording(recording, options.top)}\nprofile: ${options.out}\n`);
    return 0;
  } finally {
    await stage.close();
  }
}
