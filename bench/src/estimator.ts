/**
 * From slices to one figure per row. Pure.
 *
 * Interference only ever adds CPU time, so the figure is the median of the cheaper half of the slices in which hardly
 * anything else ran on the proxy's core. The median of all slices stands next to it, so nobody takes one for the other.
 */

/** One timed slice of load on one row. */
export interface Slice {
  readonly row: string;
  readonly round: number;
  readonly requests: number;
  readonly durationUs: number;
  /** Scheduler run time of all threads of the row during the slice. */
  readonly cpuNs: number;
  readonly userTicks: number;
  readonly systemTicks: number;
  /** Share of the slice in which something else ran on the proxy's core. */
  readonly foreignShare: number;
  /** Share of the slice in which the core of load generator and origin was busy. */
  readonly loadCoreShare: number;
  /** Undefined where the load generator does not tell. */
  readonly p50Us: number | undefined;
  readonly p99Us: number | undefined;
  readonly residentBytes: number;
}

export interface Estimate {
  readonly cpuUs: number;
  readonly cpuUsAllSlices: number;
  readonly cleanSlices: number;
  readonly slices: number;
  /** Fewer than {@link MIN_CLEAN} clean slices: the figure is printed, but decides nothing. */
  readonly inconclusive: boolean;
  /** Share of the CPU time spent in the kernel; undefined when no tick was counted. */
  readonly kernelShare: number | undefined;
  readonly requestsPerSecond: number;
  readonly p50Us: number | undefined;
  readonly p99Us: number | undefined;
  readonly residentBytes: number;
  /** Median share of the other core in use; near 1 means that requests per second say little. */
  readonly loadCoreShare: number;
}

/** A slice with more foreign load than this does not count. */
export const MAX_FOREIGN_SHARE = 0.08;
/** Clean slices needed for a figure that may decide something. */
export const MIN_CLEAN = 4;

export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('median of nothing');
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
}

function medianOfKnown(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : median(known);
}

export function cpuUsPerRequest(slice: Slice): number {
  return slice.cpuNs / 1000 / slice.requests;
}

export function isClean(slice: Slice): boolean {
  return isCleanShare(slice.foreignShare);
}

/** Whether hardly anything else ran. */
export function isCleanShare(foreignShare: number): boolean {
  return foreignShare <= MAX_FOREIGN_SHARE;
}

/** The cheaper half of `values`, rounded up. */
export function cheaperHalf(values: readonly number[]): number[] {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted.slice(0, Math.ceil(sorted.length / 2));
}

/** The figures of one row. Throws when there is no slice. */
export function estimate(slices: readonly Slice[]): Estimate {
  const clean = slices.filter(isClean);
  const inconclusive = clean.length < MIN_CLEAN;
  const kept = inconclusive ? slices : clean;
  const userTicks = slices.reduce((sum, slice) => sum + slice.userTicks, 0);
  const systemTicks = slices.reduce((sum, slice) => sum + slice.systemTicks, 0);
  return {
    cpuUs: median(cheaperHalf(kept.map(cpuUsPerRequest))),
    cpuUsAllSlices: median(slices.map(cpuUsPerRequest)),
    cleanSlices: clean.length,
    slices: slices.length,
    inconclusive,
    kernelShare: userTicks + systemTicks === 0 ? undefined : systemTicks / (userTicks + systemTicks),
    requestsPerSecond: median(kept.map((slice) => (slice.requests / slice.durationUs) * 1e6)),
    p50Us: medianOfKnown(kept.map((slice) => slice.p50Us)),
    p99Us: medianOfKnown(kept.map((slice) => slice.p99Us)),
    residentBytes: median(slices.map((slice) => slice.residentBytes)),
    loadCoreShare: median(slices.map((slice) => slice.loadCoreShare)),
  };
}
