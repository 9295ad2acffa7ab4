/**
 * Rows during a measurement: starting, checking, ending them, and dropping the one that fails with its reason.
 *
 * A failure of one row never ends the run; only an abort does.
 */
import type { Slice } from './estimator.ts';
import type { NoFigure, RowOutcome } from './results.ts';
import type { Row } from './rows.ts';
import type { Shape } from './shapes.ts';
import type { Stage, Target } from './stage.ts';
import { verifyProxy } from './verify.ts';

/** A row during a measurement. */
export interface Entrant {
  readonly row: Row;
  readonly slices: Slice[];
  target: Target | undefined;
  noFigure: NoFigure | undefined;
}

/** Does one step with a row that runs; a failure takes the row out of the measurement, an abort goes through. */
export async function attempt(
  stage: Stage,
  entrant: Entrant,
  shape: Shape,
  step: (target: Target) => Promise<unknown>,
): Promise<void> {
  if (entrant.noFigure !== undefined) return;
  try {
    await step(entrant.target ?? (await start(stage, entrant, shape)));
  } catch (error) {
    stage.signal.throwIfAborted();
    const reason = error instanceof Error ? error.message : String(error);
    entrant.noFigure = { kind: 'failed', reason };
  }
}

async function start(stage: Stage, entrant: Entrant, shape: Shape): Promise<Target> {
  entrant.target = await stage.start(entrant.row, shape);
  return entrant.target;
}

/** Starts the row and checks its answers. */
export async function enter(stage: Stage, entrant: Entrant, shape: Shape): Promise<void> {
  await attempt(stage, entrant, shape, (target) =>
    verifyProxy(target.port, shape, stage.content, entrant.row.editsFields ?? false),
  );
}

export async function leave(stage: Stage, entrant: Entrant): Promise<void> {
  if (entrant.target !== undefined) await stage.stop(entrant.target);
}

export function outcomeOf<F>(entrant: Entrant, figure: () => F): RowOutcome<F> {
  const { name, title } = entrant.row;
  return { row: name, title, figure: entrant.noFigure ?? figure() };
}

/** Measures the entrants one after the other, each freshly started. */
export async function measureEach<F>(
  stage: Stage,
  entrants: readonly Entrant[],
  shape: Shape,
  measure: (stage: Stage, target: Target, shape: Shape) => Promise<F>,
  say: (line: string) => void,
): Promise<RowOutcome<F>[]> {
  const outcomes: RowOutcome<F>[] = [];
  for (const entrant of entrants) {
    let figure: F | undefined;
    try {
      await enter(stage, entrant, shape);
      await attempt(stage, entrant, shape, async (target) => {
        figure = await measure(stage, target, shape);
      });
    } finally {
      await leave(stage, entrant);
    }
    outcomes.push(outcomeOf(entrant, () => figure as F));
    say(`${shape.name}: ${entrant.row.name} done`);
  }
  return outcomes;
}
