import { describe, expect, it } from 'vitest';
import { estimate } from '../estimator.ts';
import type { RowOutcome, ShapeOutcome, SlicesFigure } from '../results.ts';
import { sliceOf } from '../slice-fixture.ts';
import { judgeL4, L4_GOALS, type L4Result, l4ReportMarkdown, l4ReportText, l4Table } from './l4-report.ts';
import { L4_ROWS } from './l4-rows.ts';
import { L4_SHAPES } from './l4-shapes.ts';

function row(name: string, cpuUs: number, foreignShare = 0): RowOutcome<SlicesFigure> {
  const slices = [0, 1, 2, 3].map((round) => sliceOf(cpuUs, { row: name, round, foreignShare }));
  return { row: name, title: name, figure: { kind: 'slices', estimate: estimate(slices), slices } };
}

const shapeOf = (shape: string, ...rows: ShapeOutcome['rows']): ShapeOutcome => ({ shape, title: 'what it is', rows });

function resultOf(...shapes: ShapeOutcome[]): L4Result {
  return {
    format: 'cirque-bench-l4-1',
    startedAt: '2026-11-21T10:11:12.000Z',
    endedAt: '2026-11-21T10:20:00.000Z',
    machine: { cpu: 'Test CPU', cores: 2, kernel: '6.1', memoryBytes: 1, loadAverage: [1, 2, 3] },
    loadAverageAtEnd: [0.5, 0.5, 0.5],
    versions: { nginx: '1.22.1' },
    shapes,
  };
}

describe('L4_GOALS', () => {
  it('name rows and shapes that exist', () => {
    for (const { row: name, shape } of L4_GOALS) {
      const rows = L4_ROWS.filter((candidate) => candidate.name === name);
      const shapes = L4_SHAPES.filter((candidate) => candidate.name === shape);
      expect([rows.length, shapes.length]).toEqual([1, 1]);
    }
  });
});

describe('judgeL4', () => {
  it.each([
    ['tcp-bulk', 170, 'met'],
    ['tcp-bulk', 171, 'not met'],
    ['tcp-short', 200, 'met'],
    ['tcp-short', 201, 'not met'],
  ])('%s with %d against 100 us of nginx is %s', (shape, cpuUs, verdict) => {
    const outcomes = judgeL4([shapeOf(shape, row('nginx', 100), row('cirque', cpuUs))]);
    expect(outcomes.map((outcome) => outcome.verdict)).toEqual([verdict]);
  });

  it('decides nothing where other programs ran, and says nothing without a figure', () => {
    const disturbed = shapeOf('tcp-bulk', row('nginx', 100, 0.5), row('cirque-run', 120));
    expect(judgeL4([disturbed])[0]).toMatchObject({
      text: 'tcp-bulk: cirque-run at most 1.7 x the CPU of nginx per MB',
      measured: 'CPU 1.20 x, rate as measured 1.00 x',
      verdict: 'inconclusive',
    });
    expect(judgeL4([shapeOf('tcp-bulk', row('cirque', 100)), shapeOf('udp-dns', row('nginx', 1))])).toEqual([]);
  });
});

describe('l4Table', () => {
  it('tells what a core could do, and how much of it was used', () => {
    const { columns, rows } = l4Table(shapeOf('udp-dns', row('nginx', 20), row('cirque', 25)));
    const cell = (title: string): string => rows[1]?.[columns.findIndex((column) => column.title === title)] ?? '';
    // The fixture does 1,000 in a second.
    expect(cell('CPU µs/session')).toBe('25.0');
    expect(cell('x nginx')).toBe('1.25');
    expect(cell('sessions/s')).toBe('1000');
    expect(cell('at most/s')).toBe('40000');
    expect(cell('proxy core %')).toBe('3');
    expect(cell('clean')).toBe('4/4');
  });
});

describe('reports', () => {
  it('l4ReportText and l4ReportMarkdown: circumstances, tables, reasons, goals', () => {
    const failed = { row: 'haproxy', title: 'HAProxy', figure: { kind: 'failed', reason: 'it broke' } } as const;
    const result = resultOf(shapeOf('tcp-bulk', row('nginx', 100), row('cirque', 120), failed));
    const report = l4ReportText(result);
    expect(report).toContain('nginx 1.22.1');
    expect(report).toContain('tcp-bulk: what it is');
    expect(report).toContain('HAProxy: failed: it broke');
    expect(report).toMatch(/tcp-bulk: cirque at most 1\.7 x .+ met/);
    const markdown = l4ReportMarkdown(result);
    expect(markdown).toContain('#### tcp-bulk: what it is');
    expect(markdown).toContain('| cirque | 120.0 | 1.20 |');
    expect(markdown).toContain('- HAProxy: failed: it broke');
    expect(markdown).toContain('#### Goals');
  });
});
