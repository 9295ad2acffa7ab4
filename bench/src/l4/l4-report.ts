/**
 * What a run on layer 4 has shown: tables, and whether it keeps what was promised. Pure.
 */
import type { Estimate } from '../estimator.ts';
import type { GoalOutcome } from '../goals.ts';
import { absentRows, circumstances, goalTable, left, megabytes, milliseconds, right } from '../report.ts';
import type { RunResult, ShapeOutcome } from '../results.ts';
import { drawMarkdown, drawText, type Table } from '../table.ts';
import { L4_REFERENCE } from './l4-rows.ts';
import { L4_SHAPES, type L4Unit } from './l4-shapes.ts';

export interface L4Result extends Omit<RunResult, 'format' | 'options'> {
  readonly format: 'cirque-bench-l4-1';
}

interface L4Goal {
  readonly shape: string;
  readonly row: string;
  /** Of the CPU that nginx needs per unit. */
  readonly atMost: number;
  readonly text: string;
}

/**
 * Half as many connections per second is twice the CPU for each: a core that does nothing else is the limit. What is measured
 * as connections per second is as much a matter of the load generator.
 */
const PROMISES = [
  { shape: 'tcp-bulk', atMost: 1.7, text: 'at most 1.7 x the CPU of nginx per MB' },
  { shape: 'tcp-short', atMost: 2, text: 'at least half the connections per second and core of nginx' },
] as const;

export const L4_GOALS: readonly L4Goal[] = PROMISES.flatMap((promise) =>
  ['cirque', 'cirque-run'].map((row) => ({ ...promise, row })),
);

function estimateOf(shape: ShapeOutcome | undefined, row: string): Estimate | undefined {
  const figure = shape?.rows.find((candidate) => candidate.row === row)?.figure;
  return figure?.kind === 'slices' ? figure.estimate : undefined;
}

/** The goals that this run has figures for. */
export function judgeL4(shapes: readonly ShapeOutcome[]): GoalOutcome[] {
  return L4_GOALS.flatMap(({ shape: name, row, atMost, text }) => {
    const shape = shapes.find((candidate) => candidate.shape === name);
    const own = estimateOf(shape, row);
    const reference = estimateOf(shape, L4_REFERENCE);
    if (own === undefined || reference === undefined) return [];
    const cpu = own.cpuUs / reference.cpuUs;
    const rate = own.requestsPerSecond / reference.requestsPerSecond;
    const verdict = cpu <= atMost ? 'met' : 'not met';
    return [
      {
        text: `${name}: ${row} ${text}`,
        measured: `CPU ${cpu.toFixed(2)} x, rate as measured ${rate.toFixed(2)} x`,
        verdict: own.inconclusive || reference.inconclusive ? 'inconclusive' : verdict,
      },
    ];
  });
}

/** The table of one shape. */
export function l4Table(shape: ShapeOutcome): Table {
  const unit: L4Unit = L4_SHAPES.find(({ name }) => name === shape.shape)?.unit ?? 'round trip';
  const reference = estimateOf(shape, L4_REFERENCE);
  const rows = shape.rows.flatMap(({ title, figure }) =>
    figure.kind === 'slices' ? [[title, ...cells(figure.estimate, reference)]] : [],
  );
  const measured = [
    `CPU µs/${unit}`,
    'x nginx',
    'all slices',
    'kernel %',
    unit === 'MB' ? 'MB/s' : `${unit}s/s`,
    'at most/s',
  ];
  const others = ['proxy core %', 'load core %', 'p50 ms', 'p99 ms', 'RSS MB', 'clean'];
  return { columns: [left('proxy'), ...[...measured, ...others].map(right)], rows };
}

function cells(estimate: Estimate, reference: Estimate | undefined): string[] {
  const { cpuUs, requestsPerSecond, kernelShare, cleanSlices, slices, inconclusive } = estimate;
  const percent = (share: number): string => (share * 100).toFixed(0);
  return [
    cpuUs.toFixed(1),
    reference === undefined ? '-' : (cpuUs / reference.cpuUs).toFixed(2),
    estimate.cpuUsAllSlices.toFixed(1),
    kernelShare === undefined ? '-' : percent(kernelShare),
    requestsPerSecond.toFixed(0),
    (1e6 / cpuUs).toFixed(0),
    percent((cpuUs * requestsPerSecond) / 1e6),
    percent(estimate.loadCoreShare),
    milliseconds(estimate.p50Us),
    milliseconds(estimate.p99Us),
    megabytes(estimate.residentBytes),
    `${cleanSlices}/${slices}${inconclusive ? ' inconclusive' : ''}`,
  ];
}

/** The whole report for a terminal. */
export function l4ReportText(result: L4Result): string {
  const parts = [circumstances(result).join('\n')];
  for (const shape of result.shapes) {
    parts.push([`${shape.shape}: ${shape.title}`, drawText(l4Table(shape)), ...absentRows(shape)].join('\n'));
  }
  const goals = judgeL4(result.shapes);
  if (goals.length > 0) parts.push(drawText(goalTable(goals)));
  return `${parts.join('\n\n')}\n`;
}

/** The same as markdown, for README.md. */
export function l4ReportMarkdown(result: L4Result): string {
  const list = (lines: readonly string[]): string => lines.map((line) => `- ${line}`).join('\n');
  const parts = [list(circumstances(result))];
  for (const shape of result.shapes) {
    parts.push(`#### ${shape.shape}: ${shape.title}`, drawMarkdown(l4Table(shape)));
    const absent = absentRows(shape);
    if (absent.length > 0) parts.push(list(absent));
  }
  const goals = judgeL4(result.shapes);
  if (goals.length > 0) parts.push('#### Goals', drawMarkdown(goalTable(goals)));
  return `${parts.join('\n\n')}\n`;
}
