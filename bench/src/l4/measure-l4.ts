/**
 * One shape over all proxies of layer 4: started together, checked, warmed, then slices in turn.
 *
 * A proxy that answers wrongly or breaks drops out with the reason; the others go on.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { estimate, type Slice } from '../estimator.ts';
import type { Missing } from '../install.ts';
import { timeSlice } from '../load.ts';
import type { NoFigure, RowOutcome, SlicesFigure } from '../results.ts';
import { roundOrder } from '../rounds.ts';
import { applyL4Load, verifyL4 } from './l4-load.ts';
import type { L4Row } from './l4-rows.ts';
import type { L4Shape } from './l4-shapes.ts';
import type { L4Stage, L4Target } from './l4-stage.ts';

export interface L4Timing {
  readonly rounds: number;
  readonly sliceMs: number;
  readonly warmMs: number;
  /** Rest between slices, for whoever else uses the machine. */
  readonly pauseMs: number;
}

interface Entrant {
  readonly row: L4Row;
  readonly slices: Slice[];
  target: L4Target | undefined;
  noFigure: NoFigure | undefined;
}

/** Measures the rows that carry this shape. `say` gets a line per round. */
export async function measureL4(
  l4: L4Stage,
  shape: L4Shape,
  rows: readonly L4Row[],
  timing: L4Timing,
  missing: Missing,
  say: (line: string) => void,
): Promise<RowOutcome<SlicesFigure>[]> {
  const able = rows.filter((row) => row.carries?.(shape) ?? true);
  const entrants = able.map((row) => enter(row, missing.get(row.needs)));
  const { stage } = l4;
  try {
    for (const entrant of entrants) {
      await attempt(l4, entrant, async () => {
        entrant.target = await l4.start(entrant.row, shape);
        await verifyL4(entrant.target.port, shape, stage.content);
        await applyL4Load(stage, entrant.target.port, shape, timing.warmMs);
      });
    }
    for (let round = 0; round < timing.rounds; round += 1) {
      for (const entrant of roundOrder(entrants, round)) {
        await attempt(l4, entrant, async () => {
          const target = entrant.target as L4Target;
          await sleep(timing.pauseMs, undefined, { signal: stage.signal });
          const load = () => applyL4Load(stage, target.port, shape, timing.sliceMs);
          entrant.slices.push(await timeSlice(stage, target, round, load));
        });
      }
      say(`${shape.name}: round ${round + 1} of ${timing.rounds}`);
    }
  } finally {
    await Promise.all(entrants.map(({ target }) => (target === undefined ? undefined : l4.stop(target))));
  }
  return entrants.map(outcomeOf);
}

function enter(row: L4Row, reason: string | undefined): Entrant {
  const noFigure = reason === undefined ? undefined : ({ kind: 'skipped', reason } as const);
  return { row, slices: [], target: undefined, noFigure };
}

/** A failure takes the row out of the measurement, an abort goes through. */
async function attempt({ stage }: L4Stage, entrant: Entrant, step: () => Promise<void>): Promise<void> {
  if (entrant.noFigure !== undefined) return;
  try {
    await step();
  } catch (error) {
    stage.signal.throwIfAborted();
    entrant.noFigure = { kind: 'failed', reason: error instanceof Error ? error.message : String(error) };
  }
}

function outcomeOf({ row, slices, noFigure }: Entrant): RowOutcome<SlicesFigure> {
  const { name, title } = row;
  return { row: name, title, figure: noFigure ?? { kind: 'slices', estimate: estimate(slices), slices } };
}
