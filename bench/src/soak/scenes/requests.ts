/**
 * Memory over many requests: a million by default, after a warm-up that is not looked at.
 */
import { applyLoad } from '../../load.ts';
import { quarters } from '../../measure-soak.ts';
import { SHAPES, type Shape } from '../../shapes.ts';
import { figure } from '../figure.ts';
import type { Lab } from '../lab.ts';
import type { Scene } from '../scene.ts';

const MEGABYTE = 2 ** 20;
const SAMPLE_MS = 250;
const SWEEP_MS = 300;
/** The share of the requests that come before the first look. */
const WARM_SHARE = 0.15;
/** A proxy that needs longer for all requests is judged by those it did. */
const LIMIT_MS = 180_000;

function shapeOfSoak(): Shape {
  const shape = SHAPES.find(({ name }) => name === 'soak');
  if (shape === undefined) throw new Error('the shape of the soak is missing');
  return shape;
}

async function load(lab: Lab, requests: number): Promise<number> {
  const until = performance.now() + LIMIT_MS;
  let done = 0;
  while (done < requests && performance.now() < until) {
    const { requests: more } = await applyLoad(lab.stage, lab.target, shapeOfSoak(), lab.size(5_000, 1_000));
    done += more;
  }
  return done;
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
    const samples: { seconds: number; residentBytes: number }[] = [];
    const startedAt = performance.now();
    const sampler = setInterval(() => {
      samples.push({ seconds: (performance.now() - startedAt) / 1_000, residentBytes: lab.residentBytes() });
    }, SAMPLE_MS);
    let done: number;
    try {
      done = await load(lab, lab.options.requests);
    } finally {
      clearInterval(sampler);
    }
    const after = await restingBytes(lab);
    const { first, last } = quarters(samples);
    const live = figure('live memory more', (after.live - before.live) / MEGABYTE, 'MB', { most: lab.size(1, 4) });
    return [
      figure('requests', done, '', { least: lab.options.requests }),
      figure('RSS at rest, before', before.resident / MEGABYTE, 'MB'),
      // In a short run the heap has not found its size.
      figure('RSS at rest, more', (after.resident - before.resident) / MEGABYTE, 'MB', { most: lab.size(8, 64) }),
      ...(lab.isCirque ? [live] : []),
      // How far the young generation of the heap grows is V8's choice: it is no promise.
      figure('RSS under load, last against first quarter', (last - first) / MEGABYTE, 'MB'),
      ...(await lab.leftovers()),
    ];
  },
};
