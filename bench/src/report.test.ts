import { describe, expect, it } from 'vitest';
import { estimate } from './estimator.ts';
import { judge } from './goals.ts';
import { absentRows, reportMarkdown, reportText, shapeTable } from './report.ts';
import type { RowOutcome, RunResult, ShapeOutcome, SlicesFigure } from './results.ts';
import { sliceOf } from './slice-fixture.ts';
import { drawMarkdown, drawText } from './table.ts';

function row(name: string, cpuUs: number, foreignShare = 0): RowOutcome<SlicesFigure> {
  const slices = [0, 1, 2, 3].map((round) => sliceOf(cpuUs, { row: name, round, foreignShare }));
  return { row: name, title: name, figure: { kind: 'slices', estimate: estimate(slices), slices } };
}

function resultOf(...shapes: ShapeOutcome[]): RunResult {
  return {
    format: 'cirque-bench-1',
    startedAt: '2026-11-20T10:11:12.000Z',
    endedAt: '2026-11-20T10:20:00.000Z',
    machine: { cpu: 'Test CPU', cores: 2, kernel: '6.1', memoryBytes: 1, loadAverage: [1, 2, 3] },
    loadAverageAtEnd: [0.5, 0.5, 0.5],
    versions: { nginx: '1.22.1' },
    options: { sliceMs: 1000, rounds: 4, warmMs: 1000, shapes: ['1k'], only: [], without: [], out: undefined },
    shapes,
  };
}

const shape1k = (...rows: ShapeOutcome['rows']): ShapeOutcome => ({ shape: '1k', title: 'main', rows });
const idle: ShapeOutcome = {
  shape: 'idle10k',
  title: 'idle',
  rows: [
    {
      row: 'cirque',
      title: 'Cirque',
      figure: {
        kind: 'idle',
        connections: 1000,
        residentBytesBefore: 2 ** 20,
        residentBytesAfter: 2 ** 20 + 7_000_000,
        bytesPerConnection: 7000,
      },
    },
  ],
};
const soak = (growth: number, cutShort: boolean): ShapeOutcome => ({
  shape: 'soak',
  title: 'soak',
  rows: [
    {
      row: 'cirque',
      title: 'Cirque',
      figure: {
        kind: 'soak',
        requests: 1_000_000,
        seconds: 20,
        residentBytesFirst: 50 * 2 ** 20,
        residentBytesLast: 50 * 2 ** 20 + growth,
        samples: [],
        cutShort,
      },
    },
  ],
});

describe('shapeTable', () => {
  it('gives ratios to nginx of the same shape', () => {
    const shape = shape1k(row('nginx', 10), row('cirque', 12.5));
    const { rows } = shapeTable(resultOf(shape), shape);
    expect(rows.map((cells) => cells.slice(0, 5))).toEqual([
      ['nginx', '10.0', '1.00', '10.0', '75'],
      ['cirque', '12.5', '1.25', '12.5', '75'],
    ]);
    expect(rows[0]?.at(-1)).toBe('4/4');
  });

  it('marks a row with too few clean slices', () => {
    const shape = shape1k(row('nginx', 10, 0.5));
    expect(shapeTable(resultOf(shape), shape).rows[0]?.at(-1)).toBe('0/4 inconclusive');
  });

  it('leaves rows without a figure to a list of reasons', () => {
    const skipped = {
      row: 'pingora',
      title: 'Pingora',
      figure: { kind: 'skipped', reason: 'cargo is not installed' },
    } as const;
    const shape = shape1k(row('nginx', 10), skipped);
    expect(shapeTable(resultOf(shape), shape).rows).toHaveLength(1);
    expect(absentRows(shape)).toEqual(['Pingora: skipped: cargo is not installed']);
  });
});

describe('judge', () => {
  const verdicts = (...shapes: ShapeOutcome[]) => judge(resultOf(...shapes)).map(({ verdict }) => verdict);

  it('compares the ratio with the limit', () => {
    expect(verdicts(shape1k(row('nginx', 10), row('cirque', 13.5)))).toEqual(['met']);
    expect(verdicts(shape1k(row('nginx', 10), row('cirque', 13.6)))).toEqual(['not met']);
    expect(verdicts(shape1k(row('nginx', 10), row('cirque', 13), row('http-proxy', 60)))).toEqual(['met', 'not met']);
  });

  it('decides nothing when either side is inconclusive', () => {
    expect(verdicts(shape1k(row('nginx', 10, 0.5), row('cirque', 5)))).toEqual(['inconclusive']);
  });

  it('says nothing about rows that did not run', () => {
    expect(verdicts(shape1k(row('nginx', 10)))).toEqual([]);
  });

  it('judges memory per connection and growth', () => {
    expect(judge(resultOf(idle))).toMatchObject([{ measured: '6.8 KB', verdict: 'not met' }]);
    expect(verdicts(soak(2 ** 20, false), idle)).toEqual(['not met', 'met']);
    expect(verdicts(soak(5 * 2 ** 20, false))).toEqual(['not met']);
    expect(verdicts(soak(2 ** 20, true))).toEqual(['inconclusive']);
  });
});

describe('reportText and reportMarkdown', () => {
  const result = resultOf(shape1k(row('nginx', 10), row('cirque', 12)), idle, soak(0, false));

  it('hold circumstances, every shape and the goals', () => {
    for (const report of [reportText(result), reportMarkdown(result)]) {
      expect(report).toContain('2026-11-20 10:11 UTC; Test CPU, 2 cores');
      expect(report).toContain('1k: main');
      expect(report).toContain('KB/connection');
      expect(report).toContain('growth MB');
      expect(report).toContain('1k: cirque at most 1.35 x the CPU of nginx');
    }
  });
});

describe('drawText and drawMarkdown', () => {
  const table = {
    columns: [
      { title: 'name', align: 'left' },
      { title: 'µs', align: 'right' },
    ],
    rows: [
      ['a|b', '1'],
      ['longer', '23'],
    ],
  } as const;

  it('align columns', () => {
    expect(drawText(table)).toBe('name    µs\na|b      1\nlonger  23');
  });

  it('escape what would break a markdown table', () => {
    expect(drawMarkdown(table)).toBe('| name | µs |\n|---|---:|\n| a\\|b | 1 |\n| longer | 23 |');
  });
});
