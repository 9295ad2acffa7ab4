/**
 * Servers with queues, in simulated time: requests arrive at random, wait in line, and take a random time.
 *
 * A repeatable model of what a balancer is for. The balancer sees what it would see: uses that begin and end, and how long they took.
 */
import type { SelectionFactory } from '../src/index.ts';
import { IndexHeap } from '../src/selection/index-heap.ts';
import { seededRandom } from '../src/selection/seeded-random.ts';
import { backendsOf } from './selection.contract.ts';

export interface Server {
  readonly weight: number;
  /** Mean time that a request takes once it is its turn. */
  readonly serviceMs: number;
  /** Requests fail, at once. */
  readonly fails?: boolean;
}

export interface ModelOptions {
  readonly servers: readonly Server[];
  readonly requests: number;
  /** Requests per millisecond. */
  readonly rate: number;
}

export interface ModelResult {
  /** Requests by server. */
  readonly counts: readonly number[];
  /** The most that were at one server at a time. */
  readonly longestQueue: number;
  readonly meanLatencyMs: number;
}

interface Request {
  readonly server: number;
  readonly arrivedMs: number;
}

/** Runs all requests through; the same numbers each time. */
export function simulate(factory: SelectionFactory, { servers, requests, rate }: ModelOptions): ModelResult {
  const random = seededRandom(7);
  const exponential = (mean: number): number => -Math.log(1 - random()) * mean;
  let nowMs = 0;
  const context = { previous: undefined, now: () => nowMs, random };
  const selection = factory.build(backendsOf(servers.map(({ weight }) => weight)), undefined, context);
  const inFlight = servers.map(() => 0);
  const counts = servers.map(() => 0);
  const freeFromMs = servers.map(() => 0);
  const ends = new Float64Array(requests);
  const running = new IndexHeap(ends);
  const underWay: Request[] = [];
  let longestQueue = 0;
  let latencies = 0;

  const report = (server: number, change: number): void => {
    inFlight[server] = (inFlight[server] ?? 0) + change;
    longestQueue = Math.max(longestQueue, inFlight[server] ?? 0);
    selection.onLoad?.(server, inFlight[server] ?? 0);
  };
  const endUntil = (untilMs: number): void => {
    while (running.size > 0 && (ends[running.peek()] ?? 0) <= untilMs) {
      const ended = running.pop();
      const { server, arrivedMs } = underWay[ended] as Request;
      nowMs = ends[ended] ?? 0;
      report(server, -1);
      latencies += nowMs - arrivedMs;
      selection.onDone?.(server, { ok: servers[server]?.fails !== true, latencyMs: nowMs - arrivedMs });
    }
    nowMs = untilMs;
  };

  for (let i = 0; i < requests; i += 1) {
    endUntil(nowMs + exponential(1 / rate));
    const server = selection.first(`request ${i}`);
    const { serviceMs = 0, fails = false } = servers[server] ?? {};
    const startMs = Math.max(nowMs, freeFromMs[server] ?? 0);
    ends[i] = fails ? nowMs + 0.1 : startMs + exponential(serviceMs);
    if (!fails) freeFromMs[server] = ends[i] ?? 0;
    underWay.push({ server, arrivedMs: nowMs });
    counts[server] = (counts[server] ?? 0) + 1;
    report(server, 1);
    running.push(i);
  }
  endUntil(Number.POSITIVE_INFINITY);
  return { counts, longestQueue, meanLatencyMs: latencies / requests };
}
