import { describe, expect, it } from 'vitest';
import { backendsOf, contextOf, selectionContract } from '../../test/selection.contract.ts';
import { PeakEwma } from './peak-ewma.ts';
import type { Selection } from './selection.ts';

selectionContract(PeakEwma, { shareTolerance: 0.15, draws: true, buildsQuickly: true });

/** Two backends: the first candidate is always the better one. */
function pair(decayMs = 10_000): {
  selection: Selection;
  answer(position: number, latencyMs: number): void;
  wait(ms: number): void;
} {
  const context = contextOf();
  const selection = PeakEwma.with({ decayMs }).build(backendsOf([1, 1]), undefined, context);
  return {
    selection,
    answer: (position, latencyMs) => selection.onDone?.(position, { ok: true, latencyMs }),
    wait: (ms) => {
      context.nowMs += ms;
    },
  };
}

describe('PeakEwma', () => {
  it('PeakEwma takes the faster one, until its uses outweigh that', () => {
    const { selection, answer } = pair();
    answer(0, 10);
    answer(1, 40);
    for (const [inFlight, expected] of [
      [0, 0],
      [2, 0],
      [4, 1],
    ] as const) {
      selection.onLoad?.(0, inFlight);
      expect(selection.first('')).toBe(expected);
    }
  });

  it('PeakEwma believes a slow answer at once and fast ones slowly', () => {
    const { selection, answer, wait } = pair(1_000);
    answer(0, 10);
    answer(1, 10.5);
    answer(0, 100);
    expect(selection.first('')).toBe(1);
    for (let i = 0; i < 5; i += 1) {
      wait(100);
      answer(0, 10);
      answer(1, 10.5);
    }
    expect(selection.first('')).toBe(1);
    for (let i = 0; i < 60; i += 1) {
      wait(100);
      answer(0, 10);
      answer(1, 10.5);
    }
    expect(selection.first('')).toBe(0);
  });

  it('PeakEwma tries a slow one again after a while, without any answers from it', () => {
    const { selection, answer, wait } = pair(1_000);
    answer(0, 10);
    answer(1, 1_000);
    for (let i = 0; i < 44; i += 1) {
      expect(selection.first('')).toBe(0);
      wait(100);
      answer(0, 10);
    }
    // ln(1,000 / 10) = 4.6 times the decay.
    for (let i = 0; i < 4; i += 1) {
      wait(100);
      answer(0, 10);
    }
    expect(selection.first('')).toBe(1);
  });

  it('PeakEwma tries a backend about which nothing is known, with one use at a time', () => {
    const { selection, answer } = pair();
    answer(0, 10);
    expect(selection.first('')).toBe(1);
    selection.onLoad?.(1, 1);
    expect(selection.first('')).toBe(0);
    selection.onLoad?.(1, 0);
    selection.onDone?.(1, undefined);
    selection.onDone?.(1, { ok: true });
    expect(selection.first('')).toBe(1);
  });

  it('PeakEwma does not take fast failures for fast answers', () => {
    const { selection, answer, wait } = pair(1_000);
    answer(0, 10);
    answer(1, 10);
    selection.onDone?.(0, { ok: false, latencyMs: 0.1 });
    expect(selection.first('')).toBe(1);
    // Ten times as slow: for 2.3 times the decay.
    for (let i = 0; i < 22; i += 1) {
      wait(100);
      answer(1, 10);
      expect(selection.first('')).toBe(1);
    }
    for (let i = 0; i < 3; i += 1) {
      wait(100);
      answer(1, 10);
    }
    expect(selection.first('')).toBe(0);
  });

  it('PeakEwma penalises a backend whose first use fails, and does not shun one for ever that fails a thousand times', () => {
    const { selection, answer, wait } = pair(1_000);
    selection.onDone?.(0, { ok: false });
    answer(1, 10);
    expect(selection.first('')).toBe(1);
    for (let i = 0; i < 1_000; i += 1) selection.onDone?.(0, { ok: false });
    wait(12_000);
    answer(1, 10);
    expect(selection.first('')).toBe(0);
  });

  it('PeakEwma ignores latencies that are none', () => {
    const { selection, answer } = pair();
    answer(0, 10);
    answer(1, 20);
    for (const latencyMs of [Number.NaN, -5]) answer(0, latencyMs);
    expect(selection.first('')).toBe(0);
    answer(0, Number.POSITIVE_INFINITY);
    expect(selection.first('')).toBe(1);
  });

  it('PeakEwma keeps what it knows about backends that stay when the list changes', () => {
    const context = contextOf();
    const [a, b, c] = backendsOf([1, 1, 1]);
    if (a === undefined || b === undefined || c === undefined) throw new Error('three backends');
    const before = PeakEwma.build([a, b], undefined, context);
    before.onDone?.(0, { ok: true, latencyMs: 10 });
    before.onDone?.(1, { ok: true, latencyMs: 50 });
    const swapped = PeakEwma.build([b, a], before, context);
    expect(Array.from({ length: 10 }, () => swapped.first(''))).toEqual(new Array(10).fill(1));
    const joined = PeakEwma.build([c, a], before, context);
    expect(joined.first('')).toBe(0);
  });

  it('PeakEwma.with refuses a decay that is no time', () => {
    for (const decayMs of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => PeakEwma.with({ decayMs })).toThrow(
        `PeakEwma: decayMs must be a number of milliseconds from 1, got ${decayMs}`,
      );
    }
  });
});
