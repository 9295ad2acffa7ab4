/**
 * One load shape over all rows: started together, verified, warmed, then slices in turn; see `rounds.ts` for the order.
 *
 * A row that answers wrongly or breaks drops out with the reason; the others go on.
 */
import { attempt, type Entrant, enter, leave, outcomeOf } from './entrants.ts';
import { estimate } from './estimator.ts';
import { applyLoad, takeSlice } from './load.ts';
import type { RowOutcome, SlicesFigure } from './results.ts';
import { roundOrder } from './rounds.ts';
import type { Shape } from './shapes.ts';
import type { Stage } from './stage.ts';

export interface SliceTiming {
  readonly rounds: number;
  readonly sliceMs: number;
  readonly warmMs: number;
}

/** Measures all entrants in one shape. `say` gets a line per round. */
export async function measureSlices(
  stage: Stage,
  entrants: readonly Entrant[],
  shape: Shape,
  timing: SliceTiming,
  say: (line: string) => void,
): Promise<RowOutcome<SlicesFigure>[]> {
  try {
    // Settled, not all: after an abort nobody may still be starting when the stage is torn down.
    await Promise.allSettled(entrants.map((entrant) => enter(stage, entrant, shape)));
    stage.signal.throwIfAborted();
    for (const entrant of entrants)
      await attempt(stage, entrant, shape, (target) => applyLoad(stage, target, shape, timing.warmMs));
    for (let round = 0; round < timing.rounds; round++) {
      for (const entrant of roundOrder(entrants, round)) {
        await attempt(stage, entrant, shape, async (target) => {
          entrant.slices.push(await takeSlice(stage, target, shape, { durationMs: timing.sliceMs, round }));
        });
      }
      say(`${shape.name}: round ${round + 1} of ${timing.rounds}`);
    }
  } finally {
    await Promise.all(entrants.map((entrant) => leave(stage, entrant)));
  }
  return entrants.map((entrant) =>
    outcomeOf(entrant, () => ({ kind: 'slices' as const, estimate: estimate(entrant.slices), slices: entrant.slices })),
  );
}
