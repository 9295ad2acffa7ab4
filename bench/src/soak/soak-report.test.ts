import { expect, test } from 'vitest';
import { drawMarkdown } from '../table.ts';
import { exactly, figure } from './figure.ts';
import { sceneRemarks, sceneTable } from './soak-report.ts';
import { brokenPromises, isGood, type SceneResult, type SoakResult } from './soak-result.ts';

const ours = [figure('p99', 7, 'ms', { most: 5 }, 'a note'), exactly('errors', 0, 0)];
const scene: SceneResult = {
  scene: 'slow',
  title: 'slow clients',
  performances: [
    { contestant: 'cirque', title: 'Cirque', seconds: 1, figures: ours, broken: brokenPromises(ours) },
    {
      contestant: 'nginx',
      title: 'nginx',
      seconds: 1,
      figures: [figure('p99', 9, 'ms'), figure('more', 1)],
      broken: [],
    },
    { contestant: 'haproxy', title: 'HAProxy', seconds: 0, figures: [], broken: [], skipped: 'not installed' },
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
  ]);
});

test('isGood: false for a broken promise and for a scene that failed', () => {
  const good = { ...scene, performances: scene.performances.slice(1) };
  const failed = { ...good, performances: good.performances.map((one) => ({ ...one, failed: 'it ended' })) };
  const result = (...scenes: SceneResult[]) => isGood({ scenes } as unknown as SoakResult);
  expect([result(good), result(good, scene), result(failed)]).toEqual([true, false, false]);
});
