/**
 * A crowd of clients in a process of its own, so that its work does not slow down the clients that are timed.
 */
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { logTail, type Running } from '../processes.ts';
import type { Stage } from '../stage.ts';
import type { CrowdReport, CrowdScript } from './crowd-script.ts';

const PROGRAM = fileURLToPath(new URL('./crowd.ts', import.meta.url));
const ANSWER_TIMEOUT_MS = 10_000;
const LOOK_MS = 50;

export class Crowd {
  readonly #stage: Stage;
  readonly #running: Running;
  readonly #lines: AsyncIterator<string>;
  #left = false;

  private constructor(stage: Stage, script: CrowdScript) {
    this.#stage = stage;
    const args = [PROGRAM, JSON.stringify(script)];
    const core = stage.cores.load;
    this.#running = stage.processes.start({ name: 'crowd', file: process.execPath, args, core, stdout: 'pipe' });
    const { stdout } = this.#running.child;
    if (stdout === null) throw new Error('the crowd has no output');
    this.#lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
  }

  /** Resolves when every connection was begun; not all of them need to be there. */
  static async gather(stage: Stage, script: CrowdScript): Promise<Crowd> {
    const crowd = new Crowd(stage, script);
    const neededMs = (script.count / script.perSecond) * 1_000;
    await crowd.#line(neededMs * 3 + ANSWER_TIMEOUT_MS);
    return crowd;
  }

  async report(): Promise<CrowdReport> {
    this.#running.child.stdin?.write('report\n');
    return JSON.parse(await this.#line(ANSWER_TIMEOUT_MS)) as CrowdReport;
  }

  /** Asks until the answer is as wanted, or the time is over; answers the last report. */
  async until(wanted: (report: CrowdReport) => boolean, timeoutMs: number): Promise<CrowdReport> {
    const deadline = performance.now() + timeoutMs;
    let report = await this.report();
    while (!wanted(report) && performance.now() < deadline) {
      await pause(LOOK_MS, undefined, { signal: this.#stage.signal });
      report = await this.report();
    }
    return report;
  }

  /** Closes all connections. */
  async leave(): Promise<void> {
    if (this.#left) return;
    this.#left = true;
    this.#running.child.stdin?.end();
    const stop = setTimeout(() => this.#running.child.kill('SIGKILL'), ANSWER_TIMEOUT_MS);
    await this.#running.closed;
    clearTimeout(stop);
  }

  async #line(timeoutMs: number): Promise<string> {
    const { promise: tooLate, reject } = Promise.withResolvers<never>();
    const stop = AbortSignal.any([this.#stage.signal, AbortSignal.timeout(timeoutMs)]);
    const give = (): void => reject(new Error(`the crowd does not answer; ${logTail(this.#running)}`));
    stop.addEventListener('abort', give, { once: true });
    try {
      const { done, value } = await Promise.race([this.#lines.next(), tooLate]);
      if (done === true) throw new Error(`the crowd has ended; ${logTail(this.#running)}`);
      return value;
    } finally {
      stop.removeEventListener('abort', give);
    }
  }
}
