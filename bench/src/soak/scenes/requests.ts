/**
 * Memory over many requests: a million by default, after a warm-up that is not looked at.
 */
import { applyLoad } from '../../load.ts';
import { quarters } from '../../measure-soak.ts';
import { SHAPES, type Shape } from '../../shapes.ts';
import { type Figure, figure } from '../figure.ts';
import type { Lab } from '../lab.ts';
import type { Scene } from '../scene.ts';

const SAMPLE_MS = 250;
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

/** Bytes that live in the process after a collection; of Cirque only. */
async function liveBytes(lab: Lab): Promise<number> {
  if (!lab.isCirque) return 0;
  const { heapBytes, externalBytes } = await lab.stats();
  return heapBytes + externalBytes;
}

export const REQUESTS: Scene = {
  name: 'requests',
  title: 'memory over 1,000,000 requests, 64 connections',
  async play(lab) {
    await lab.startProxy();
    await load(lab, lab.options.requests * WARM_SHARE);
    const liveBefore = await liveBytes(lab);
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
    const live = ((await liveBytes(lab)) - liveBefore) / 2 ** 20;
    const { first, last } = quarters(samples);
    const ofCirque: Figure[] = lab.isCirque ? [figure('live memory more', live, 'MB', { most: lab.size(1, 4) })] : [];
    return [
      figure('requests', done, '', { least: lab.options.requests }),
      figure('RSS in the first quarter', first / 2 ** 20, 'MB'),
      // In a short run the heap has not found its size.
      figure('RSS more in the last', (last - first) / 2 ** 20, 'MB', { most: lab.size(4, 64) }),
      ...ofCirque,
      ...(await lab.leftovers()),
    ];
  },
};
