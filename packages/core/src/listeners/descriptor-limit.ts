/**
 * How many file descriptors this process may have, and how many of them accepted connections may take.
 *
 * A server that lets its clients use up all descriptors can open no upstream connection and no log file any more.
 */
import { readFileSync } from 'node:fs';

/** Least and most descriptors that are kept free of accepted connections. */
const RESERVE = { least: 16, most: 1_024, share: 8 };

/**
 * The highest descriptor that an accepted connection may have: an eighth of the limit stays free, at least 16, at most
 * 1,024. Undefined where the limit is not known or not worth it.
 */
export function maxAcceptedDescriptor(limit: number | undefined = descriptorLimit()): number | undefined {
  if (limit === undefined || limit < 2 * RESERVE.least) return undefined;
  const reserve = Math.min(RESERVE.most, Math.max(RESERVE.least, Math.floor(limit / RESERVE.share)));
  return limit - reserve - 1;
}

/**
 * How many descriptors this process may have. Linux tells in proc(5); elsewhere Node has no way to ask, and the answer is
 * undefined.
 */
export function descriptorLimit(): number | undefined {
  try {
    return parseSoftLimit(readFileSync('/proc/self/limits', 'latin1'));
  } catch {
    return undefined;
  }
}

/** The soft limit of a limits file; undefined when there is none. */
export function parseSoftLimit(text: string): number | undefined {
  const digits = /^Max open files\s+(\d+)/m.exec(text)?.[1];
  return digits === undefined ? undefined : Number(digits);
}
