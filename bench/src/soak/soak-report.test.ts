import { expect, test } from 'vitest';
import { drawMarkdown } from '../table.ts';
import { exactly, figure, timed } from './figure.ts';
import { sceneRemarks, sceneTable } from './soak-report.ts';
import { brokenPromises, isGood, type SceneResult, type SoakResult } from './soak-result.ts';

const ours = [figure('p99', 7, 'ms', { most: 5 }, 'a note'), exactly('errors', 0, 0)];
const scene: SceneResult = {
  scene: 'slow',
  title: 'slow clients',
  performances: [
    {
      contestant: 'cirque',
      title: 'Cirque',
      seconds: 1,
      foreignShare: 0,
      figures: ours,
      broken: brokenPromises(ours, 0),
    },
    {
      contestant: 'nginx',
      title: 'nginx',
      seconds: 1,
      foreignShare: 0,
      figures: [figure('p99', 9, 'ms'), figure('more', 1)],
      broken: [],
    },
    {
      contestant: 'haproxy',
      title: 'HAProxy',
      seconds: 0,
      foreignShare: 0.5,
      figures: [],
      broken: [],
      skipped: 'not installed',
    },
  ],
};

test('sceneTable: figures downwards, contestants side by side, and what was promised', () => {
  expect(drawMarkdown(sceneTable(scene)).split('\n').slice(2)).toEqual([
    '| p99 | 7 ms | 9 ms | at most 5 |',
    '| errors | 0 | - | exactly 0 |',
    '| more | - | 1 |  |',
  ]);
});

test('sceneRemarks: who is missing and why, and what was not kept', () => {
  expect(sceneRemarks(scene)).toEqual([
    'Cirque: NOT KEPT: p99 is 7 ms, promised at most 5: a note',
    'HAProxy: skipped: not installed',
    'HAProxy: times decide nothing: other work took 50 % of the two cores',
  ]);
});

test('isGood: false for a broken promise and for a scene that failed', () => {
  const good = { ...scene, performances: scene.performances.slice(1) };
  const failed = { ...good, performances: good.performances.map((one) => ({ ...one, failed: 'it ended' })) };
  const result = (...scenes: SceneResult[]) => isGood({ scenes } as unknown as SoakResult);
  expect([result(good), result(good, scene), result(failed)]).toEqual([true, false, false]);
});

test('brokenPromises: times count only where the machine was not disturbed', () => {
  const slow = [timed('p99', 7, { most: 5 }), exactly('errors', 1, 0)];
  expect(brokenPromises(slow, 0.02)).toEqual(['p99 is 7 ms, promised at most 5', 'errors is 1, promised exactly 0']);
  expect(brokenPromises(slow, 0.5)).toEqual(['errors is 1, promised exactly 0']);
});
