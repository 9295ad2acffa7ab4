/**
 * What a load generator is: a command line for a shape, and numbers out of what it prints.
 */
import type { Shape } from './shapes.ts';

export interface LoadResult {
  readonly requests: number;
  readonly durationUs: number;
  /** Bytes received, heads included. */
  readonly bytes: number;
  /** Undefined where the generator does not tell. */
  readonly p50Us: number | undefined;
  readonly p99Us: number | undefined;
  /** Failed connects, reads, writes, timeouts, and answers with status 400 or above. */
  readonly errors: number;
}

export interface LoadCommand {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** Where and how long. */
export interface LoadTarget {
  readonly port: number;
  readonly durationMs: number;
  /** File with the request body of the shape; exists only where there is one. */
  readonly bodyFile: string;
}

export interface LoadGenerator {
  /** Name of the program. */
  readonly program: 'wrk' | 'h2load';
  /** Arguments and environment: one thread, as many connections as the shape says, whole seconds. */
  command(shape: Shape, target: LoadTarget): LoadCommand;
  /** Reads what the program printed. Throws when a number is missing. */
  parse(output: string): LoadResult;
}

/** wrk cannot run for less than a second. */
export function wholeSeconds(durationMs: number): number {
  return Math.max(1, Math.round(durationMs / 1000));
}

/** The URL that clients of this shape ask for. */
export function urlOf(shape: Shape, port: number): string {
  const scheme = shape.client === 'https' || shape.client === 'h2' ? 'https' : 'http';
  return `${scheme}://127.0.0.1:${port}${shape.path}`;
}
