/**
 * How many threads a service gets.
 */
import { availableParallelism } from 'node:os';
import type { Threads } from './server-conf.ts';

/** A service's own wish, or that of the configuration; without a wish it runs alone, on the main thread. */
export function threadCount(wish: Threads | 'configured' | undefined, configured: Threads): number {
  const threads = wish === 'configured' ? configured : (wish ?? 1);
  return threads === 'auto' ? availableParallelism() : threads;
}
