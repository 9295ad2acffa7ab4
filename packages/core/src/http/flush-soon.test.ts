import { describe, expect, test } from 'vitest';
import { flushSoon } from './flush-soon.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('flushSoon', () => {
  test('flushSoon flushes everybody once, behind what runs now', async () => {
    const flushed: string[] = [];
    for (const name of ['a', 'b']) flushSoon({ flushNow: () => flushed.push(name) });
    await Promise.resolve();
    expect(flushed).toEqual([]);
    await turn();
    await turn();
    expect(flushed).toEqual(['a', 'b']);
  });

  test('flushSoon takes what is asked for during a flush to the next round', async () => {
    const flushed: number[] = [];
    const again = {
      flushNow: () => {
        flushed.push(flushed.length);
        if (flushed.length < 3) flushSoon(again);
      },
    };
    flushSoon(again);
    for (let round = 0; round < 6; round += 1) await turn();
    expect(flushed).toEqual([0, 1, 2]);
  });
});
