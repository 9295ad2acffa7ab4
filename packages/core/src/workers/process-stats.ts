/**
 * How a thread is doing: memory and the delay of its event loop.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { StatsTree } from '../service/stats-tree.ts';

let delay: ReturnType<typeof monitorEventLoopDelay> | undefined;

/**
 * Memory in bytes, and how long the event loop was late since the last call, in milliseconds. The delay is measured from
 * the first call on, so that nobody pays for it who does not ask.
 */
export function processStats(): StatsTree {
  const { heapUsed, heapTotal, external } = process.memoryUsage();
  const first = delay === undefined;
  delay ??= monitorEventLoopDelay({ resolution: 10 });
  if (first) delay.enable();
  const late =
    delay.count === 0
      ? {}
      : { eventLoopDelayP50Ms: delay.percentile(50) / 1e6, eventLoopDelayP99Ms: delay.percentile(99) / 1e6 };
  delay.reset();
  return { heapUsed, heapTotal, external, ...late };
}
