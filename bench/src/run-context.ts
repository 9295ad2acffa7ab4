/**
 * What every command of the benchmark gets from `main.ts`: where to write, and when to stop.
 */

export interface RunContext {
  /** Progress, on stderr. */
  readonly say: (line: string) => void;
  /** Results, on stdout, as they are. */
  readonly print: (text: string) => void;
  /** Aborted by Ctrl-C and SIGTERM. */
  readonly signal: AbortSignal;
}
