/**
 * Plays the rows of the fault matrix for one pair of versions.
 */
import { afterAll, beforeAll, describe, it } from 'vitest';
import { BlackHole } from './black-hole.ts';
import { describePair, type Fault, type Pair } from './fault.ts';
import { FaultScene } from './fault-scene.ts';

export function runFaults(pair: Pair, groups: Readonly<Record<string, readonly Fault[]>>): void {
  describe(describePair(pair), () => {
    let blackHole: BlackHole;
    beforeAll(async () => {
      blackHole = await BlackHole.open();
    });
    afterAll(() => blackHole?.close());
    for (const [group, faults] of Object.entries(groups)) {
      const rows = faults.filter(({ applies }) => applies?.(pair) ?? true);
      if (rows.length > 0)
        describe(group, () => void it.each(rows)('$name', (fault) => runFault(pair, fault, blackHole.port)));
    }
  });
}

async function runFault(pair: Pair, fault: Fault, blackHolePort: number): Promise<void> {
  const scene = await FaultScene.open(pair, fault, blackHolePort);
  try {
    const wanted = fault.expect(pair);
    await fault.play(scene);
    await scene.expect(wanted);
    if (!fault.blackHole) await scene.expectService(wanted);
    await scene.close();
  } catch (error) {
    await scene.abandon();
    throw error;
  }
}
