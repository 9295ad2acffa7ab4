/**
 * What the gateway under stress tells of itself (e2e/stress/gateway.ts), thread by thread, added up.
 */
import { WireConnection, type WireTarget } from './wire-connection.ts';

export interface GatewayStats {
  /** The worst of the threads. */
  readonly lagP99Ms: number;
  readonly heapBytes: number;
  readonly externalBytes: number;
  readonly timers: number;
}

interface ThreadStats extends GatewayStats {
  readonly thread: number;
}

const STATS_PATH = '/stress-stats';
const ASK_TIMEOUT_MS = 5_000;
/** The kernel chooses who answers. */
const ASKED_PER_THREAD = 16;

async function ask(target: WireTarget): Promise<ThreadStats> {
  const connection = new WireConnection(target);
  try {
    const { body } = await connection.ask(STATS_PATH, ASK_TIMEOUT_MS);
    return JSON.parse(body.toString()) as ThreadStats;
  } finally {
    connection.destroy();
  }
}

/** Asks until every thread has answered. */
export async function gatewayStats(target: WireTarget, threads: number): Promise<GatewayStats> {
  const seen = new Map<number, ThreadStats>();
  for (let asked = 0; seen.size < threads && asked < threads * ASKED_PER_THREAD; asked++) {
    const stats = await ask(target);
    // Only the first answer is about all the time since the last call.
    if (!seen.has(stats.thread)) seen.set(stats.thread, stats);
  }
  const all = [...seen.values()];
  if (all.length < threads) throw new Error(`only ${all.length} of ${threads} threads have answered`);
  const sum = (part: (stats: ThreadStats) => number): number => all.reduce((total, one) => total + part(one), 0);
  return {
    lagP99Ms: Math.max(...all.map(({ lagP99Ms }) => lagP99Ms)),
    heapBytes: sum(({ heapBytes }) => heapBytes),
    externalBytes: sum(({ externalBytes }) => externalBytes),
    timers: sum(({ timers }) => timers),
  };
}
