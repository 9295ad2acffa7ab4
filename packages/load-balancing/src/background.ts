/**
 * When a balancer updates its list and when it checks health.
 *
 * Knows only jobs and their frequencies. The first round is run in order; after it the jobs go their own ways, so that a
 * discovery that hangs keeps nobody from noticing a dead backend. A job never overlaps with itself.
 */
import { Timer } from '@cirque/timeout';
import type { TimeSource } from './time-source.ts';

/** How long to wait for further calls after the first that says that a run is due. */
const GATHER_MS = 20;
/** The wheel wants a number; who waits for ever looks up now and then. */
const LONGEST_PAUSE_MS = 86_400_000;

/** A job that is due now and then. Must not reject. */
export interface PeriodicJob {
  /** Time from the start of one run to that of the next. Undefined: no further run. Read anew for each run. */
  readonly frequencyMs: () => number | undefined;
  readonly run: (signal: AbortSignal) => Promise<void>;
  /** Calls `due` whenever a run is needed soon, until the signal aborts. Called once, before the first run. Must not throw. */
  readonly watch?: (due: () => void, signal: AbortSignal) => void;
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
  if (signal.aborted) return;
  const repetitions = jobs.map((job) => new Repetition(job, signal, time));
  for (const repetition of repetitions) await repetition.runOnce();
  if (signal.aborted) return;
  ready();
  await Promise.all(repetitions.map((repetition) => repetition.repeat()));
}

/** The runs of one job. */
class Repetition {
  readonly #job: PeriodicJob;
  readonly #signal: AbortSignal;
  readonly #time: TimeSource;
  #lastStart = 0;
  /** Somebody has asked for a run that has not begun yet. */
  #isDue = false;
  /** Ends the pause. */
  #wake: (() => void) | undefined;

  constructor(job: PeriodicJob, signal: AbortSignal, time: TimeSource) {
    this.#job = job;
    this.#signal = signal;
    this.#time = time;
    job.watch?.(() => this.#ring(), signal);
  }

  async runOnce(): Promise<void> {
    if (this.#signal.aborted) return;
    this.#isDue = false;
    this.#lastStart = this.#time.clock.now();
    await untilAborted(this.#job.run(this.#signal), this.#signal);
  }

  /** Runs again and again; when a run has taken longer than the frequency, the next one follows at once. */
  async repeat(): Promise<void> {
    while (!this.#signal.aborted && (this.#isDue || this.#nextStart() !== undefined)) {
      // Also when it is overdue: each run gives way to whatever else there is to do.
      await this.#pause();
      if (this.#signal.aborted) return;
      // The frequency may have become lower meanwhile, or none.
      if (this.#isDue || (this.#nextStart() ?? Number.POSITIVE_INFINITY) <= this.#time.clock.now())
        await this.runOnce();
    }
  }

  /** Undefined: never again. Somebody who watches may still ask for it. */
  #nextStart(): number | undefined {
    const frequencyMs = this.#job.frequencyMs();
    if (frequencyMs !== undefined) return this.#lastStart + frequencyMs;
    return this.#job.watch === undefined ? undefined : Number.POSITIVE_INFINITY;
  }

  #ring(): void {
    this.#isDue = true;
    this.#wake?.();
  }

  /** Ends when the next run is due or somebody asks for it; then waits for a moment who else does. */
  async #pause(): Promise<void> {
    const waitMs = (this.#nextStart() ?? 0) - this.#time.clock.now();
    if (!this.#isDue) await this.#sleep(Math.min(LONGEST_PAUSE_MS, Math.max(0, waitMs)), true);
    if (this.#isDue && !this.#signal.aborted) await this.#sleep(GATHER_MS, false);
  }

  /** Ends after the time, with the signal and, if it may be woken, when somebody asks for a run. */
  #sleep(ms: number, mayBeWoken: boolean): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        timer.close();
        this.#signal.removeEventListener('abort', end);
        this.#wake = undefined;
        resolve();
      };
      const timer = new Timer(end, this.#time.wheel);
      this.#signal.addEventListener('abort', end);
      if (mayBeWoken) this.#wake = end;
      timer.set(ms);
    });
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
