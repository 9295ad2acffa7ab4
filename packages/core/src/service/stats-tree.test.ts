import { expect, test } from 'vitest';
import { mergeStats } from './stats-tree.ts';

test('mergeStats adds numbers, merges groups, keeps the first text', () => {
  const merged = mergeStats([
    { requests: 2, peers: { a: { active: 1 } }, version: '1' },
    { requests: 3, peers: { a: { active: 2 }, b: { active: 5 } }, version: '2', late: true },
  ]);
  expect(merged).toEqual({ requests: 5, peers: { a: { active: 3 }, b: { active: 5 } }, version: '1', late: true });
});

test('mergeStats leaves its arguments alone', () => {
  const first = { peers: { a: { active: 1 } } };
  mergeStats([first, { peers: { a: { active: 2 } } }]);
  expect(first).toEqual({ peers: { a: { active: 1 } } });
});

test('mergeStats of nothing is nothing', () => {
  expect(mergeStats([])).toEqual({});
});
