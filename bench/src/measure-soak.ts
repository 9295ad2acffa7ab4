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

const SAMPLE_MS = 2000;
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

async function loadUntil(
  stage: Stage,
  target: Target,
  shape: Shape,
  requests: number,
  limitMs: number,
): Promise<Sample[]> {
  const samples: Sample[] = [];
  const deadline = performance.now() + limitMs;
  let done = 0;
  while (done < requests && performance.now() < deadline) {
    done += (await applyLoad(stage, target, shape, SAMPLE_MS)).requests;
    samples.push({ requests: done, residentBytes: readResidentBytes(target.pids) });
  }
  return samples;
}

/** Measures one freshly started row. */
export async function measureSoak(stage: Stage, target: Target, shape: Shape): Promise<SoakFigure> {
  await loadUntil(stage, target, shape, WARM_REQUESTS, WARM_LIMIT_MS);
  const startedAt = performance.now();
  const samples = await loadUntil(stage, target, shape, SOAK_REQUESTS, SOAK_LIMIT_MS);
  const { first, last } = quarters(samples);
  const requests = samples.at(-1)?.requests ?? 0;
  return {
    kind: 'soak',
    requests,
    seconds: (performance.now() - startedAt) / 1000,
    residentBytesFirst: first,
    residentBytesLast: last,
    samples,
    cutShort: requests < SOAK_REQUESTS,
  };
}
