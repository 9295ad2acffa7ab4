/**
 * How a thread is doing: memory and the delay of its event loop.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { StatsTree } from '../service/stats-tree.ts';

/** How often the event loop is looked at, in milliseconds. */
const EVERY_MS = 10;

let delay: ReturnType<typeof monitorEventLoopDelay> | undefined;

/**
 * Memory in bytes, and how long the event loop was late since the last call, in milliseconds. The delay is measured from
 * the first call on, so that nobody pays for it who does not ask.
 */
export function processStats(): StatsTree {
  const { heapUsed, heapTotal, external } = process.memoryUsage();
  const first = delay === undefined;
  delay ??= monitorEventLoopDelay({ resolution: EVERY_MS });
  if (first) delay.enable();
  const late = delay.count === 0 ? {} : { eventLoopDelayP50Ms: lateness(50), eventLoopDelayP99Ms: lateness(99) };
  delay.reset();
  return { heapUsed, heapTotal, external, ...late };
}

/** What is measured is the time between two looks: an idle loop has as much as was asked for. */
function lateness(percentile: number): number {
  return Math.max(0, (delay?.percentile(percentile) ?? 0) / 1e6 - EVERY_MS);
}
