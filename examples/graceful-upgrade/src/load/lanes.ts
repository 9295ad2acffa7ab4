// Steady load: some lanes side by side, and in each one request after the other, in even steps.
import { setTimeout as sleep } from 'node:timers/promises';

/** How much load there is of one kind, and for how long. */
export interface Pace {
  readonly lanes: number;
  /** From one request of a lane to the next; a slow answer delays it. */
  readonly everyMs: number;
  /** Aborted when it is over; what has been asked then is still answered. */
  readonly over: AbortSignal;
}

/** Calls `step` of each lane again and again. Resolves when it is over and the last step has ended. */
export async function inLanes(pace: Pace, makeStep: (lane: number) => () => Promise<void>): Promise<void> {
  await Promise.all(Array.from({ length: pace.lanes }, (_, lane) => runLane(pace, lane, makeStep(lane))));
}

async function runLane({ lanes, everyMs, over }: Pace, lane: number, step: () => Promise<void>): Promise<void> {
  let next = performance.now() + (everyMs * lane) / lanes;
  while (!over.aborted) {
    await sleep(Math.max(0, next - performance.now()), undefined, { signal: over }).catch(() => {});
    if (over.aborted) return;
    next = Math.max(next, performance.now()) + everyMs;
    await step();
  }
}
