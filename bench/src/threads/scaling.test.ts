import { describe, expect, test } from 'vitest';
import { figureOf, scalings, type ThreadFigure } from './scaling.ts';
import type { ThreadSlice } from './thread-slice.ts';

function slice(changes: Partial<ThreadSlice> = {}): ThreadSlice {
  const usual = { requests: 1_000, durationUs: 1e6, proxyNs: 2e7, busiestNs: 1.1e7, loadNs: 1e7, foreignShare: 0 };
  return { ...usual, ...changes };
}

function figure(changes: Partial<ThreadFigure>): ThreadFigure {
  const usual = { row: 'cirque', threads: 1, proxyUs: 20, loadUs: 12, requestsPerSecond: 40_000, busiestShare: 1 };
  return { ...usual, cleanSlices: 8, slices: 8, ...changes };
}

describe('figureOf', () => {
  test('figureOf: medians over the slices in which nothing else ran', () => {
    const disturbed = slice({ proxyNs: 9e7, foreignShare: 0.5 });
    const clean = [slice(), slice({ proxyNs: 2.2e7 }), slice({ proxyNs: 1.8e7 }), slice()];
    expect(figureOf('cirque', 2, [...clean, disturbed])).toEqual({
      row: 'cirque',
      threads: 2,
      proxyUs: 20,
      loadUs: 10,
      requestsPerSecond: 1_000,
      busiestShare: 0.55,
      cleanSlices: 4,
      slices: 5,
    });
  });

  test('figureOf: over all slices where too few are clean', () => {
    const { proxyUs, cleanSlices } = figureOf('cirque', 2, [slice(), slice({ proxyNs: 4e7, foreignShare: 0.5 })]);
    expect({ proxyUs, cleanSlices }).toEqual({ proxyUs: 30, cleanSlices: 1 });
  });
});

describe('scalings', () => {
  test('scalings: each row against itself with one thread', () => {
    const figures = [
      figure({ row: 'nginx', requestsPerSecond: 50_000 }),
      figure({}),
      figure({ threads: 2, proxyUs: 21, loadUs: 11.5, requestsPerSecond: 50_000 }),
    ];
    const [scaling, ...others] = scalings(figures, 2);
    expect(others).toEqual([]);
    expect(scaling).toMatchObject({ row: 'cirque', threads: 2, cpu: 1.05, throughput: 1.25, inconclusive: false });
  });

  test.each([
    ['the load takes its part of the cores', 20, 12, 2, 1.25],
    ['the load takes as much as the proxy', 20, 20, 2, 1],
    ['there are more cores than anybody needs', 20, 20, 8, 2],
  ])('scalings: the most that could be reached, where %s', (_, proxyUs, loadUs, cores, ceiling) => {
    const figures = [
      figure({ proxyUs, loadUs, requestsPerSecond: 50_000 }),
      figure({ proxyUs, loadUs, threads: 2, requestsPerSecond: 50_000 }),
    ];
    expect(scalings(figures, cores)[0]?.ceiling).toBeCloseTo(ceiling, 9);
  });

  test('scalings: a row that others disturbed decides nothing', () => {
    const figures = [figure({ cleanSlices: 3 }), figure({ threads: 2 })];
    expect(scalings(figures, 2)[0]?.inconclusive).toBe(true);
  });
});
