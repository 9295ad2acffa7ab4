// What has become of the requests of one kind, counted strictly: whatever did not end well has failed, nothing is tried again.

/** No answer for so long is a failure. */
const PATIENCE_MS = 15_000;

/** Failures that are kept word for word. */
const REMEMBERED = 20;

/** The server has closed a kept connection at the moment in which the client used it again. */
export class KeptConnectionReset extends Error {}

export class Tally {
  readonly kind: string;
  /** False for messages and datagrams, which are counted, but are no requests. */
  readonly isRequests: boolean;
  /** Those that have ended, in whatever way. */
  done = 0;
  failed = 0;
  /** Of the failed ones those of {@link KeptConnectionReset}. */
  resets = 0;
  slowestMs = 0;
  readonly failures: string[] = [];
  /** How many each process has answered. */
  readonly servedBy: Map<number, number> = new Map();

  constructor(kind: string, isRequests = true) {
    this.kind = kind;
    this.isRequests = isRequests;
  }

  /** Counts what `request` does; it answers the process that has served it. Never rejects. */
  async count(request: (signal: AbortSignal) => Promise<number | undefined>): Promise<void> {
    const begun = performance.now();
    try {
      const process = await request(AbortSignal.timeout(PATIENCE_MS));
      if (process !== undefined) this.servedBy.set(process, (this.servedBy.get(process) ?? 0) + 1);
    } catch (error) {
      this.#fail(error);
    }
    this.done += 1;
    this.slowestMs = Math.max(this.slowestMs, performance.now() - begun);
  }

  #fail(error: unknown): void {
    this.failed += 1;
    if (error instanceof KeptConnectionReset) this.resets += 1;
    const { name, message, code } = error as NodeJS.ErrnoException;
    if (this.failures.length < REMEMBERED) {
      this.failures.push(`${new Date().toISOString()} ${this.kind}: ${code ?? name}: ${message}`);
    }
  }
}
