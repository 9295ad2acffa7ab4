/**
 * When a balancer updates its list and when it checks health.
 *
 * Knows only jobs and their frequencies. The first round is run in order; after it the jobs go their own ways, so that a
 * discovery that hangs keeps nobody from noticing a dead backend. A job never overlaps with itself.
 */
import { sleep } from '@cirque/timeout';
import type { TimeSource } from './time-source.ts';

/** A job that is due now and then. Must not reject. */
export interface PeriodicJob {
  /** Time from the start of one run to that of the next. Undefined: no further run. Read anew for each run. */
  readonly frequencyMs: () => number | undefined;
  readonly run: (signal: AbortSignal) => Promise<void>;
}

/**
 * Runs each job once, in order, then calls `ready`, then runs each at its frequency. Ends when the signal aborts, at
 * once and with no timer left, or when no job is to be run again. Does not call `ready` after the signal has aborted.
 */
export async function runPeriodically(
  jobs: readonly PeriodicJob[],
  signal: AbortSignal,
  ready: () => void,
  time: TimeSource,
): Promise<void> {
  const startTimes: number[] = [];
  for (const job of jobs) {
    startTimes.push(time.clock.now());
    if (!signal.aborted) await untilAborted(job.run(signal), signal);
  }
  if (signal.aborted) return;
  ready();
  await Promise.all(jobs.map((job, i) => repeat(job, startTimes[i] ?? 0, signal, time)));
}

/** Runs the job again and again; when a run has taken longer than the frequency, the next one follows at once. */
async function repeat(job: PeriodicJob, firstStart: number, signal: AbortSignal, time: TimeSource): Promise<void> {
  let lastStart = firstStart;
  for (let frequencyMs = job.frequencyMs(); frequencyMs !== undefined; frequencyMs = job.frequencyMs()) {
    const waitMs = lastStart + frequencyMs - time.clock.now();
    // Also when it is overdue: each run gives way to whatever else there is to do.
    await pause(Math.max(0, waitMs), signal, time);
    if (signal.aborted) return;
    // The frequency may have become lower meanwhile, or none.
    if (lastStart + (job.frequencyMs() ?? Number.POSITIVE_INFINITY) > time.clock.now()) continue;
    lastStart = time.clock.now();
    await untilAborted(job.run(signal), signal);
    if (signal.aborted) return;
  }
}

/** Ends with the promise or, at once, with the signal. */
function untilAborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => resolve();
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

/** Ends after the time or when the signal aborts; the caller looks which it was. */
async function pause(ms: number, signal: AbortSignal, time: TimeSource): Promise<void> {
  try {
    await sleep(ms, { signal, wheel: time.wheel });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
