/**
 * When a balancer updates its list and when it checks health.
 *
 * Knows only the two jobs and their frequencies. A job starts again its frequency after it last started, or when it
 * has ended if it takes longer than that; the two never overlap.
 */
import { sleep } from '@cirque/timeout';
import type { TimeSource } from './time-source.ts';

/** A job that is due now and then. Must not reject. */
export interface PeriodicJob {
  /** Undefined: only in the first round. Read anew before each wait. */
  readonly frequencyMs: () => number | undefined;
  readonly run: (signal: AbortSignal) => Promise<void>;
}

/**
 * Runs each job once, in order, then calls `ready`, then runs each when it is due. Ends when the signal aborts, at
 * once and with no timer left, or when no job has a frequency. Does not call `ready` after the signal has aborted.
 */
export async function runPeriodically(
  jobs: readonly PeriodicJob[],
  signal: AbortSignal,
  ready: () => void,
  time: TimeSource,
): Promise<void> {
  const startedAt = new Map<PeriodicJob, number>();
  const runJob = async (job: PeriodicJob): Promise<void> => {
    if (signal.aborted) return;
    startedAt.set(job, time.clock.now());
    await untilAborted(job.run(signal), signal);
  };
  const dueAt = (job: PeriodicJob): number =>
    (startedAt.get(job) ?? 0) + (job.frequencyMs() ?? Number.POSITIVE_INFINITY);

  for (const job of jobs) await runJob(job);
  if (!signal.aborted) ready();
  while (!signal.aborted) {
    const waitMs = Math.min(...jobs.map(dueAt)) - time.clock.now();
    if (waitMs === Number.POSITIVE_INFINITY) return;
    // Also when something is overdue: each turn gives way to whatever else there is to do.
    await pause(Math.max(0, waitMs), signal, time);
    for (const job of jobs) {
      if (dueAt(job) <= time.clock.now()) await runJob(job);
    }
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
