/**
 * What a load program does and what it tells, as plain data: passed to `load/main.ts` as JSON, and printed by it.
 */

export type LoadScript = {
  readonly port: number;
  /** Connections, or UDP clients, at the same time. */
  readonly clients: number;
  readonly durationMs: number;
} & (
  | { readonly kind: 'bulk'; readonly writeBytes: number }
  | { readonly kind: 'hello'; readonly greetings: readonly Greeting[]; readonly answerBytes: number }
  | { readonly kind: 'questions' | 'flows'; readonly bytes: number }
);

/** What a client sends first, and how the answer to it begins. */
export interface Greeting {
  /** Bytes in latin1. */
  readonly send: string;
  readonly answer: string;
}

/** Work that was done and times that it took. */
export interface LoadReport {
  /** Connections, round trips, or megabytes (10^6 bytes, both ways counted). */
  readonly done: number;
  /** Units that failed: cut, refused, lost, or answered wrongly. */
  readonly errors: number;
  readonly bytes: number;
  readonly durationUs: number;
  readonly p50Us: number | undefined;
  readonly p99Us: number | undefined;
}
