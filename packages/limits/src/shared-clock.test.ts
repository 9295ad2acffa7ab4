import { describe, expect, it } from 'vitest';
import { sharedClock } from './shared-clock.ts';

/** The time that all threads and processes of a machine have. */
const machineMs = (): number => Number(process.hrtime.bigint()) / 1e6;

describe('sharedClock', () => {
  it('sharedClock tells the time of the machine, not of the thread', () => {
    const before = machineMs();
    const now = sharedClock.now();
    const after = machineMs();
    // A millisecond for the moment between the two readings it was made from.
    expect(now).toBeGreaterThan(before - 1);
    expect(now).toBeLessThan(after + 1);
  });
});
