/**
 * From slices to figures, and whether they keep what was promised. Pure.
 */
import { isCleanShare, MIN_CLEAN, median } from '../estimator.ts';
import type { ThreadSlice } from './thread-slice.ts';

/** The figures of one row. */
export interface ThreadFigure {
  readonly row: string;
  readonly threads: number;
  /** Microseconds per request: of the proxy, and of load generator and origin together. */
  readonly proxyUs: number;
  readonly loadUs: number;
  readonly requestsPerSecond: number;
  /** Share of the proxy's CPU time that its busiest thread has used. */
  readonly busiestShare: number;
  readonly cleanSlices: number;
  readonly slices: number;
}

/** Two rows that differ in the number of threads only. */
export interface Scaling {
  readonly row: string;
  readonly threads: number;
  /** CPU per request, and requests per second, against one thread. */
  readonly cpu: number;
  readonly throughput: number;
  /** The most that `throughput` could be when no core is ever idle, as the load takes its part of the same cores. */
  readonly ceiling: number;
  readonly inconclusive: boolean;
}

/** Medians over the slices in which hardly anything else ran; over all, where these are too few. */
export function figureOf(row: string, threads: number, slices: readonly ThreadSlice[]): ThreadFigure {
  const clean = slices.filter(({ foreignShare }) => isCleanShare(foreignShare));
  const kept = clean.length < MIN_CLEAN ? slices : clean;
  const each = (value: (slice: ThreadSlice) => number): number => median(kept.map(value));
  return {
    row,
    threads,
    proxyUs: each(({ proxyNs, requests }) => proxyNs / 1_000 / requests),
    loadUs: each(({ loadNs, requests }) => loadNs / 1_000 / requests),
    requestsPerSecond: each(({ requests, durationUs }) => (requests / durationUs) * 1e6),
    busiestShare: each(({ busiestNs, proxyNs }) => busiestNs / proxyNs),
    cleanSlices: clean.length,
    slices: slices.length,
  };
}

/** Compares the figures of a row with those of the same row with one thread, on so many cores. */
export function scalings(figures: readonly ThreadFigure[], cores: number): Scaling[] {
  return figures.flatMap((many) => {
    const one = figures.find(({ row, threads }) => row === many.row && threads === 1);
    if (one === undefined || many.threads === 1) return [];
    return [
      {
        row: many.row,
        threads: many.threads,
        cpu: many.proxyUs / one.proxyUs,
        throughput: many.requestsPerSecond / one.requestsPerSecond,
        ceiling: mostRequests(many, cores) / one.requestsPerSecond,
        inconclusive: [one, many].some(({ cleanSlices }) => cleanSlices < MIN_CLEAN),
      },
    ];
  });
}

/** Requests per second when the threads, or the cores that they share with the load, are busy all the time. */
function mostRequests({ proxyUs, loadUs, threads }: ThreadFigure, cores: number): number {
  return Math.min(threads / proxyUs, cores / (proxyUs + loadUs)) * 1e6;
}
