/**
 * A slice with plain values, for the tests of the pure parts.
 */
import type { Slice } from './estimator.ts';

/** A clean slice of 1,000 requests that cost `cpuUs` each; `changes` replaces what the test is about. */
export function sliceOf(cpuUs: number, changes: Partial<Slice> = {}): Slice {
  const requests = changes.requests ?? 1000;
  return {
    row: 'a',
    round: 0,
    requests,
    durationUs: 1e6,
    cpuNs: cpuUs * 1000 * requests,
    userTicks: 1,
    systemTicks: 3,
    foreignShare: 0,
    loadCoreShare: 0.5,
    p50Us: 900,
    p99Us: 5000,
    residentBytes: 50_000_000,
    ...changes,
  };
}
