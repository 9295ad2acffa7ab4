/**
 * Turns a run's result into the tables that people read: on the terminal, and as markdown for README.md. Pure.
 */
import { type GoalOutcome, judge } from './goals.ts';
import {
  type Figure,
  findFigure,
  type IdleFigure,
  type RunResult,
  type ShapeOutcome,
  type SlicesFigure,
  type SoakFigure,
} from './results.ts';
import { REFERENCE_ROW } from './rows.ts';
import { type Column, drawMarkdown, drawText, type Table } from './table.ts';

export const left = (title: string): Column => ({ title, align: 'left' });
export const right = (title: string): Column => ({ title, align: 'right' });

const SLICE_COLUMNS: readonly Column[] = [
  left('proxy'),
  right('CPU µs/req'),
  right('x nginx'),
  right('all slices'),
  right('kernel %'),
  right('req/s'),
  right('p50 ms'),
  right('p99 ms'),
  right('RSS MB'),
  right('clean'),
];
const IDLE_COLUMNS: readonly Column[] = [
  left('proxy'),
  right('connections'),
  right('RSS before MB'),
  right('RSS loaded MB'),
  right('KB/connection'),
];
const SOAK_COLUMNS: readonly Column[] = [
  left('proxy'),
  right('requests'),
  right('seconds'),
  right('RSS first MB'),
  right('RSS last MB'),
  right('growth MB'),
];

export const megabytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(1);
export const milliseconds = (us: number | undefined): string =>
  us === undefined ? '-' : (us / 1000).toFixed(us < 10_000 ? 2 : 0);

function sliceCells({ estimate }: SlicesFigure, reference: Figure | undefined): string[] {
  const ratio = reference?.kind === 'slices' ? (estimate.cpuUs / reference.estimate.cpuUs).toFixed(2) : '-';
  return [
    estimate.cpuUs.toFixed(1),
    ratio,
    estimate.cpuUsAllSlices.toFixed(1),
    estimate.kernelShare === undefined ? '-' : (estimate.kernelShare * 100).toFixed(0),
    estimate.requestsPerSecond.toFixed(0),
    milliseconds(estimate.p50Us),
    milliseconds(estimate.p99Us),
    megabytes(estimate.residentBytes),
    `${estimate.cleanSlices}/${estimate.slices}${estimate.inconclusive ? ' inconclusive' : ''}`,
  ];
}

function idleCells(figure: IdleFigure): string[] {
  return [
    String(figure.connections),
    megabytes(figure.residentBytesBefore),
    megabytes(figure.residentBytesAfter),
    (figure.bytesPerConnection / 1024).toFixed(1),
  ];
}

function soakCells(figure: SoakFigure): string[] {
  return [
    `${figure.requests}${figure.cutShort ? ' (time limit)' : ''}`,
    figure.seconds.toFixed(0),
    megabytes(figure.residentBytesFirst),
    megabytes(figure.residentBytesLast),
    megabytes(figure.residentBytesLast - figure.residentBytesFirst),
  ];
}

function columnsOf(shape: ShapeOutcome): readonly Column[] {
  const kind = shape.rows.map((row) => row.figure.kind).find((one) => one !== 'skipped' && one !== 'failed');
  if (kind === 'idle') return IDLE_COLUMNS;
  return kind === 'soak' ? SOAK_COLUMNS : SLICE_COLUMNS;
}

/** The table of one shape; rows without a figure are left to {@link absentRows}. */
export function shapeTable(result: RunResult, shape: ShapeOutcome): Table {
  const reference = findFigure(result, shape.shape, REFERENCE_ROW);
  const rows = shape.rows.flatMap(({ title, figure }) => {
    if (figure.kind === 'slices') return [[title, ...sliceCells(figure, reference)]];
    if (figure.kind === 'idle') return [[title, ...idleCells(figure)]];
    return figure.kind === 'soak' ? [[title, ...soakCells(figure)]] : [];
  });
  return { columns: columnsOf(shape), rows };
}

/** One line per row that has no figure, with the reason. */
export function absentRows(shape: ShapeOutcome): string[] {
  return shape.rows.flatMap(({ title, figure }) =>
    figure.kind === 'skipped' || figure.kind === 'failed' ? [`${title}: ${figure.kind}: ${figure.reason}`] : [],
  );
}

/** Date, machine, versions, load: one line each. */
export function circumstances(
  result: Pick<RunResult, 'machine' | 'versions' | 'startedAt' | 'loadAverageAtEnd'>,
): string[] {
  const { machine, versions } = result;
  const load = (values: readonly number[]): string => values.map((value) => value.toFixed(1)).join(' ');
  return [
    `${result.startedAt.slice(0, 16).replace('T', ' ')} UTC; ${machine.cpu}, ${machine.cores} cores, Linux ${machine.kernel}`,
    `load average ${load(machine.loadAverage)} at the start, ${load(result.loadAverageAtEnd)} at the end`,
    Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', '),
  ];
}

export function goalTable(goals: readonly GoalOutcome[]): Table {
  return {
    columns: [left('goal'), right('measured'), left('verdict')],
    rows: goals.map((goal) => [goal.text, goal.measured, goal.verdict]),
  };
}

/** The whole report for a terminal. */
export function reportText(result: RunResult): string {
  const parts = [circumstances(result).join('\n')];
  for (const shape of result.shapes) {
    parts.push(
      [`${shape.shape}: ${shape.title}`, drawText(shapeTable(result, shape)), ...absentRows(shape)].join('\n'),
    );
  }
  const goals = judge(result);
  if (goals.length > 0) parts.push(drawText(goalTable(goals)));
  return `${parts.join('\n\n')}\n`;
}

/** The whole report as markdown, ready for bench/README.md. */
export function reportMarkdown(result: RunResult): string {
  const parts = [
    circumstances(result)
      .map((line) => `- ${line}`)
      .join('\n'),
  ];
  for (const shape of result.shapes) {
    const absent = absentRows(shape).map((line) => `- ${line}`);
    parts.push(`### ${shape.shape}: ${shape.title}`, drawMarkdown(shapeTable(result, shape)));
    if (absent.length > 0) parts.push(absent.join('\n'));
  }
  const goals = judge(result);
  if (goals.length > 0) parts.push('### Goals', drawMarkdown(goalTable(goals)));
  return `${parts.join('\n\n')}\n`;
}
