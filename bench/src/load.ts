/**
 * Runs the load generator against a target, and takes timed slices: load, and what the target used meanwhile.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { readCoreBusyTicks, readResidentBytes, readUsage, type TreeUsage } from './cpu-time.ts';
import type { Slice } from './estimator.ts';
import { loadGeneratorFor } from './generator-for.ts';
import type { LoadCommand, LoadResult } from './load-generator.ts';
import { TICK_MS } from './proc-files.ts';
import { logTail } from './processes.ts';
import type { Shape } from './shapes.ts';
import type { Stage, Target } from './stage.ts';

/** Time that a target gets to close its connections before its CPU time is read. */
const SETTLE_MS = 30;
/** A load generator gets this much longer than asked for before it is taken for stuck. */
const OVERTIME_MS = 20_000;

/** What may be loaded, and measured. */
export interface Loaded {
  readonly row: { readonly name: string };
  readonly port: number;
  readonly pids: readonly number[];
}

/** Where it is done. */
export type LoadPlace = Pick<Stage, 'cores' | 'processes' | 'signal'>;

/** A load generator with all that it is told. */
export interface LoadProgram extends LoadCommand {
  readonly program: string;
  /** Default: the program's name. */
  readonly file?: string;
  parse(output: string): LoadResult;
}

/** Runs a load generator that takes `durationMs`. Throws when it fails, hangs or says nothing. */
export async function runLoadProgram(place: LoadPlace, load: LoadProgram, durationMs: number): Promise<LoadResult> {
  place.signal.throwIfAborted();
  const { program, file = program, args, env } = load;
  const core = place.cores.load;
  const running = place.processes.start({ name: program, file, args, env, core, stdout: 'pipe' });
  let output = '';
  running.child.stdout?.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  const stop = AbortSignal.any([place.signal, AbortSignal.timeout(durationMs + OVERTIME_MS)]);
  const kill = (): void => void running.child.kill('SIGKILL');
  stop.addEventListener('abort', kill, { once: true });
  await running.closed;
  stop.removeEventListener('abort', kill);
  place.signal.throwIfAborted();
  if (running.child.exitCode !== 0) throw new Error(`${program} failed or hung; ${logTail(running)}`);
  return load.parse(output);
}

/** Loads the target for `durationMs`. Throws on any error, failed answer or short answer. */
export async function applyLoad(
  stage: LoadPlace & Pick<Stage, 'bodyFile'>,
  target: Pick<Loaded, 'port'>,
  shape: Shape,
  durationMs: number,
): Promise<LoadResult> {
  const { program, command, parse } = loadGeneratorFor(shape);
  const { args, env } = command(shape, { port: target.port, durationMs, bodyFile: stage.bodyFile(shape.postBytes) });
  const result = await runLoadProgram(stage, { program, args, env, parse }, durationMs);
  requireGood(result, shape);
  return result;
}

function requireGood(result: LoadResult, shape: Shape): void {
  if (result.errors > 0) throw new Error(`${result.errors} socket errors or failed answers under load`);
  if (result.requests === 0) throw new Error('no answer under load');
  // A redirect or an empty answer would be quick and wrong; the generators only count statuses from 400 up.
  if (result.bytes < result.requests * shape.bodyBytes) throw new Error('answers under load are too short');
}

interface Snapshot {
  readonly at: number;
  readonly usage: TreeUsage;
  readonly proxyCoreTicks: number;
  readonly loadCoreTicks: number;
}

function snapshot(stage: LoadPlace, target: Loaded): Snapshot {
  return {
    at: performance.now(),
    usage: readUsage(target.pids),
    proxyCoreTicks: readCoreBusyTicks(stage.cores.proxy),
    loadCoreTicks: readCoreBusyTicks(stage.cores.load),
  };
}

/** One timed slice. Throws as {@link applyLoad} does, and when the target has ended. */
export function takeSlice(
  stage: Stage,
  target: Target,
  shape: Shape,
  timing: { readonly durationMs: number; readonly round: number },
): Promise<Slice> {
  return timeSlice(stage, target, timing.round, () => applyLoad(stage, target, shape, timing.durationMs));
}

/** What the target uses while `load` runs. */
export async function timeSlice(
  place: LoadPlace,
  target: Loaded,
  round: number,
  load: () => Promise<LoadResult>,
): Promise<Slice> {
  const before = snapshot(place, target);
  const done = await load();
  await delay(SETTLE_MS);
  const after = snapshot(place, target);
  const wallMs = after.at - before.at;
  const cpuNs = after.usage.runTimeNs - before.usage.runTimeNs;
  const busyMs = (after.proxyCoreTicks - before.proxyCoreTicks) * TICK_MS;
  const share = (ms: number): number => Math.min(1, Math.max(0, ms / wallMs));
  return {
    row: target.row.name,
    round,
    requests: done.requests,
    durationUs: done.durationUs,
    cpuNs,
    userTicks: after.usage.userTicks - before.usage.userTicks,
    systemTicks: after.usage.systemTicks - before.usage.systemTicks,
    foreignShare: share(busyMs - cpuNs / 1e6),
    loadCoreShare: share((after.loadCoreTicks - before.loadCoreTicks) * TICK_MS),
    p50Us: done.p50Us,
    p99Us: done.p99Us,
    residentBytes: readResidentBytes(target.pids),
  };
}
