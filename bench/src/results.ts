/**
 * The shape of the result file. Plain data, written as JSON, read by the tables and the goals.
 */
import type { Estimate, Slice } from './estimator.ts';
import type { Machine } from './machine.ts';
import type { CompareOptions } from './options.ts';

/** Why a row has no figure: it could not run here (`skipped`), or it answered wrongly or broke (`failed`). */
export type NoFigure =
  | { readonly kind: 'skipped'; readonly reason: string }
  | { readonly kind: 'failed'; readonly reason: string };

export interface RowOutcome<Figure> {
  readonly row: string;
  readonly title: string;
  readonly figure: Figure | NoFigure;
}

export interface SlicesFigure {
  readonly kind: 'slices';
  readonly estimate: Estimate;
  readonly slices: readonly Slice[];
}

export interface IdleFigure {
  readonly kind: 'idle';
  readonly connections: number;
  readonly residentBytesBefore: number;
  readonly residentBytesAfter: number;
  readonly bytesPerConnection: number;
}

export interface SoakFigure {
  readonly kind: 'soak';
  readonly requests: number;
  readonly seconds: number;
  /** Medians of the first and the last quarter of the samples. */
  readonly residentBytesFirst: number;
  readonly residentBytesLast: number;
  readonly samples: readonly { readonly seconds: number; readonly residentBytes: number }[];
  /** Ended before the wanted number of requests, at the time limit. */
  readonly cutShort: boolean;
}

export type Figure = SlicesFigure | IdleFigure | SoakFigure;

export interface ShapeOutcome {
  readonly shape: string;
  readonly title: string;
  readonly rows: readonly RowOutcome<Figure>[];
}

export interface RunResult {
  readonly format: 'cirque-bench-1';
  readonly startedAt: string;
  readonly endedAt: string;
  readonly machine: Machine;
  readonly loadAverageAtEnd: readonly number[];
  readonly versions: Readonly<Record<string, string>>;
  readonly options: CompareOptions;
  readonly shapes: readonly ShapeOutcome[];
}

/** The figure of this row in this shape; undefined when it has none. */
export function findFigure(result: RunResult, shape: string, row: string): Figure | undefined {
  const outcome = result.shapes.find((candidate) => candidate.shape === shape);
  const figure = outcome?.rows.find((candidate) => candidate.row === row)?.figure;
  return figure === undefined || figure.kind === 'skipped' || figure.kind === 'failed' ? undefined : figure;
}
