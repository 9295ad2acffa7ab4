/**
 * Plays the rows of the fault matrix for one pair of versions.
 */
import { describe, it } from 'vitest';
import { describePair, type Fault, type Pair } from './fault.ts';
import { FaultScene } from './fault-scene.ts';

export function runFaults(pair: Pair, groups: Readonly<Record<string, readonly Fault[]>>): void {
  describe(describePair(pair), () => {
    for (const [group, faults] of Object.entries(groups)) {
      const rows = faults.filter(({ applies }) => applies?.(pair) ?? true);
      if (rows.length > 0) describe(group, () => void it.each(rows)('$name', (fault) => runFault(pair, fault)));
    }
  });
}

async function runFault(pair: Pair, fault: Fault): Promise<void> {
  const scene = await FaultScene.open(pair, fault);
  try {
    const wanted = fault.expect(pair);
    await fault.play(scene);
    await scene.expect(wanted);
    await scene.expectService(wanted);
    await scene.close();
  } catch (error) {
    await scene.abandon();
    throw error;
  }
}
