/**
 * Memory over many requests: a million by default, after a warm-up that is not looked at.
 */
import { median } from '../../estimator.ts';
import { applyLoad } from '../../load.ts';
import { SHAPES, type Shape } from '../../shapes.ts';
import { figure } from '../figure.ts';
import type { Lab } from '../lab.ts';
import type { Scene } from '../scene.ts';

const MEGABYTE = 2 ** 20;
const SAMPLE_MS = 250;
const SWEEP_MS = 300;
/** Of the samples, for the trend. */
const SPANS = 20;
/** The share of the requests that come before the first look. */
const WARM_SHARE = 0.15;
/** A proxy that needs longer for all requests is judged by those it did. */
const LIMIT_MS = 180_000;

function shapeOf(lab: Lab): Shape {
  const shape = SHAPES.find(({ name }) => name === 'soak');
  if (shape === undefined) throw new Error('the shape of the soak is missing');
  // The generator gives up a request after two seconds, which on a busy machine are short for many at a time.
  return { ...shape, connections: lab.size(shape.connections, 8) };
}

async function load(lab: Lab, requests: number): Promise<number> {
  const until = performance.now() + LIMIT_MS;
  let done = 0;
  while (done < requests && performance.now() < until) {
    const { requests: more } = await applyLoad(lab.stage, lab.target, shapeOf(lab), lab.size(5_000, 1_000));
    done += more;
  }
  return done;
}

/**
 * How many bytes a million requests add, steps left out: the median difference between neighbouring spans of the samples.
 */
export function trendBytes(samples: readonly number[], requests: number): number {
  const size = Math.max(1, Math.floor(samples.length / SPANS));
  const spans = Array.from({ length: Math.floor(samples.length / size) }, (_, index) =>
    median(samples.slice(index * size, (index + 1) * size)),
  );
  const steps = spans.slice(1).map((bytes, index) => bytes - (spans[index] ?? bytes));
  return steps.length === 0 ? 0 : (median(steps) * spans.length * 1_000_000) / requests;
}

/** Memory at rest; of Cirque after a collection. */
async function restingBytes(lab: Lab): Promise<{ readonly live: number; readonly resident: number }> {
  if (!lab.isCirque) return { live: 0, resident: lab.residentBytes() };
  // The first call collects; what it has found is given back a little later.
  await lab.stats();
  await lab.pause(SWEEP_MS);
  const { heapBytes, externalBytes } = await lab.stats();
  return { live: heapBytes + externalBytes, resident: lab.residentBytes() };
}

export const REQUESTS: Scene = {
  name: 'requests',
  title: 'memory over 1,000,000 requests, 64 connections',
  async play(lab) {
    await lab.startProxy();
    await load(lab, lab.options.requests * WARM_SHARE);
    const before = await restingBytes(lab);
    const samples: number[] = [];
    const sampler = setInterval(() => samples.push(lab.residentBytes()), SAMPLE_MS);
    let done: number;
    try {
      done = await load(lab, lab.options.requests);
    } finally {
      clearInterval(sampler);
    }
    const after = await restingBytes(lab);
    const trend = lab.options.short ? undefined : { most: 2 };
    const live = figure('live memory more', (after.live - before.live) / MEGABYTE, 'MB', { most: lab.size(1, 4) });
    return [
      figure('requests', done, '', { least: lab.options.requests }),
      figure('RSS at rest, before', before.resident / MEGABYTE, 'MB'),
      // V8 enlarges the young generation of the heap in one step, at a time of its choice.
      figure('RSS at rest, more', (after.resident - before.resident) / MEGABYTE, 'MB', { most: 48 }),
      ...(lab.isCirque ? [live] : []),
      figure('RSS trend per million requests', trendBytes(samples, done) / MEGABYTE, 'MB', trend),
      ...(await lab.leftovers()),
    ];
  },
};
