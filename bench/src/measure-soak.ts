/**
 * Does memory grow? A million requests over the same connections pool, resident memory sampled all the way.
 *
 * One row at a time. The samples' first and last quarter are compared, because garbage collection makes a single
 * reading say little; the warm-up before them is not looked at.
 */
import { readResidentBytes } from './cpu-time.ts';
import { median } from './estimator.ts';
import { applyLoad } from './load.ts';
import type { SoakFigure } from './results.ts';
import { type Shape, SOAK_REQUESTS } from './shapes.ts';
import type { Stage, Target } from './stage.ts';

const SAMPLE_MS = 500;
/** Length of one run of the load generator; between two of them the connections are new. */
const RUN_MS = 10_000;
/** Untimed requests before the first sample: caches, pools and compiled code settle. */
const WARM_REQUESTS = 100_000;
/** A row that is too slow for a million requests within this time is judged by those it did. */
export const SOAK_LIMIT_MS = 240_000;
const WARM_LIMIT_MS = 30_000;

type Sample = SoakFigure['samples'][number];

/** First and last quarter of the samples, each by its median; at least one sample each. */
export function quarters(samples: readonly Sample[]): { first: number; last: number } {
  const size = Math.max(1, Math.floor(samples.length / 4));
  const middle = (part: readonly Sample[]): number => median(part.map((sample) => sample.residentBytes));
  return { first: middle(samples.slice(0, size)), last: middle(samples.slice(-size)) };
}

/** Loads until `requests` are done or the time is up; answers how many were done. */
async function loadUntil(
  stage: Stage,
  target: Target,
  shape: Shape,
  goal: { readonly requests: number; readonly limitMs: number },
): Promise<number> {
  const deadline = performance.now() + goal.limitMs;
  let done = 0;
  while (done < goal.requests && performance.now() < deadline) {
    done += (await applyLoad(stage, target, shape, RUN_MS)).requests;
  }
  return done;
}

/** Measures one freshly started row. */
export async function measureSoak(stage: Stage, target: Target, shape: Shape): Promise<SoakFigure> {
  await loadUntil(stage, target, shape, { requests: WARM_REQUESTS, limitMs: WARM_LIMIT_MS });
  const startedAt = performance.now();
  const seconds = (): number => (performance.now() - startedAt) / 1000;
  const samples: Sample[] = [];
  const sampler = setInterval(() => {
    try {
      samples.push({ seconds: seconds(), residentBytes: readResidentBytes(target.pids) });
    } catch {
      // The target has ended, which the load generator is about to report.
      clearInterval(sampler);
    }
  }, SAMPLE_MS);
  let requests: number;
  try {
    requests = await loadUntil(stage, target, shape, { requests: SOAK_REQUESTS, limitMs: SOAK_LIMIT_MS });
  } finally {
    clearInterval(sampler);
  }
  const { first, last } = quarters(samples);
  return {
    kind: 'soak',
    requests,
    seconds: seconds(),
    residentBytesFirst: first,
    residentBytesLast: last,
    samples,
    cutShort: requests < SOAK_REQUESTS,
  };
}
