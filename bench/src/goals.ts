/**
 * What the project has promised to reach, and whether a run reached it. Data and one function; prints nothing.
 */
import type { Figure, RunResult } from './results.ts';
import { findFigure } from './results.ts';

export type Verdict = 'met' | 'not met' | 'inconclusive';

export interface GoalOutcome {
  readonly text: string;
  /** What was measured, in the unit of the goal. */
  readonly measured: string;
  readonly verdict: Verdict;
}

interface Goal {
  readonly shape: string;
  readonly row: string;
  /** Row whose CPU per request is the measure; undefined for goals on memory. */
  readonly against?: string;
  readonly atMost: number;
}

export const GOALS: readonly Goal[] = [
  { shape: '1k', row: 'cirque', against: 'nginx', atMost: 1.35 },
  { shape: '1k', row: 'cirque', against: 'http-proxy', atMost: 0.2 },
  { shape: '1k', row: 'cirque', against: 'fastify-http-proxy', atMost: 0.2 },
  { shape: '1k', row: 'cirque-five-hooks', against: 'nginx', atMost: 1.6 },
  { shape: '64k', row: 'cirque', against: 'nginx', atMost: 1.35 },
  { shape: 'new-connection', row: 'cirque', against: 'nginx', atMost: 2 },
  { shape: 'tls', row: 'cirque', against: 'nginx', atMost: 1.5 },
  { shape: 'h2', row: 'cirque', against: 'node-http2-core', atMost: 1 },
  { shape: 'h2', row: 'cirque', against: 'node-http2-compat', atMost: 1 },
  { shape: 'h2-tls', row: 'cirque', against: 'node-http2-core', atMost: 1 },
  { shape: 'h2-upstream', row: 'cirque', against: 'node-http2-upstream', atMost: 1 },
  { shape: 'h2-h2', row: 'cirque', against: 'node-http2-upstream', atMost: 1 },
  { shape: 'idle10k', row: 'cirque', atMost: 6 * 1024 },
  { shape: 'soak', row: 'cirque', atMost: 4 * 1024 * 1024 },
];

function ratioOutcome(figure: Figure, reference: Figure | undefined, goal: Goal): GoalOutcome | undefined {
  if (figure.kind !== 'slices' || reference?.kind !== 'slices') return undefined;
  const ratio = figure.estimate.cpuUs / reference.estimate.cpuUs;
  const unsure = figure.estimate.inconclusive || reference.estimate.inconclusive;
  return {
    text: `${goal.shape}: ${goal.row} at most ${goal.atMost} x the CPU of ${goal.against}`,
    measured: `${ratio.toFixed(2)} x`,
    verdict: unsure ? 'inconclusive' : ratio <= goal.atMost ? 'met' : 'not met',
  };
}

function memoryOutcome(figure: Figure, goal: Goal): GoalOutcome | undefined {
  if (figure.kind === 'idle') {
    return {
      text: `${goal.shape}: ${goal.row} at most ${goal.atMost / 1024} KB per idle connection`,
      measured: `${(figure.bytesPerConnection / 1024).toFixed(1)} KB`,
      verdict: figure.bytesPerConnection <= goal.atMost ? 'met' : 'not met',
    };
  }
  if (figure.kind !== 'soak') return undefined;
  const growth = figure.residentBytesLast - figure.residentBytesFirst;
  const verdict = growth <= goal.atMost ? 'met' : 'not met';
  return {
    text: `${goal.shape}: ${goal.row} grows by at most ${goal.atMost / 2 ** 20} MB (first to last quarter)`,
    measured: `${(growth / 2 ** 20).toFixed(1)} MB in ${figure.requests} requests`,
    verdict: figure.cutShort ? 'inconclusive' : verdict,
  };
}

/** The goals that this run has figures for. */
export function judge(result: RunResult): GoalOutcome[] {
  return GOALS.flatMap((goal) => {
    const figure = findFigure(result, goal.shape, goal.row);
    if (figure === undefined) return [];
    const outcome =
      goal.against === undefined
        ? memoryOutcome(figure, goal)
        : ratioOutcome(figure, findFigure(result, goal.shape, goal.against), goal);
    return outcome === undefined ? [] : [outcome];
  });
}
