/**
 * Finds the library that makes native calls, once per thread.
 */
import type { Sys } from './sys.ts';

/** The native calls, or undefined where there are none: see {@link sysUnavailable}. */
export function loadSys(): Sys | undefined {
  return undefined;
}

/** Why there are none and what would help, as one sentence; undefined when there are. */
export function sysUnavailable(): string | undefined {
  return 'native calls need Node.js 26.1 or the package koffi';
}
