import { describe, expect, it } from 'vitest';
import { abortable, runAtOnce, runInSlices, type Steps } from './run-in-slices.ts';

/** Counts to a number, a step each; notes how it ended. */
function* counting(to: number, log: string[] = []): Steps<number> {
  try {
    for (let i = 0; i < to; i += 1) yield;
    return to;
  } finally {
    log.push('ended');
  }
}

function* failing(): Steps<never> {
  yield;
  throw new Error('broken');
}

/** A step that takes this long. */
function* slow(steps: number, ms: number): Steps<string> {
  for (let i = 0; i < steps; i += 1) {
    const end = performance.now() + ms;
    while (performance.now() < end);
    yield;
  }
  return 'done';
}

describe('runAtOnce', () => {
  it('runAtOnce gives the result, and throws what the work throws', () => {
    expect(runAtOnce(counting(1_000))).toBe(1_000);
    expect(() => runAtOnce(failing())).toThrow('broken');
  });
});

describe('runInSlices', () => {
  it('runInSlices gives the result, and rejects with what the work throws', async () => {
    await expect(runInSlices(counting(1_000))).resolves.toBe(1_000);
    await expect(runInSlices(failing())).rejects.toThrow('broken');
  });

  it('runInSlices begins now, and lets the event loop run once per budget', async () => {
    let turns = 0;
    let isOver = false;
    const count = (): void => {
      turns += 1;
      if (!isOver) setImmediate(count);
    };
    const work = slow(12, 2);
    const result = runInSlices(work, { budgetMs: 4 });
    setImmediate(count);
    await expect(result).resolves.toBe('done');
    isOver = true;
    // 24 ms of work in slices of 4 ms, each of which may be one step too long.
    expect(turns).toBeGreaterThanOrEqual(3);
  });

  it('runInSlices ends between two steps when the signal aborts, and lets the work clean up', async () => {
    const log: string[] = [];
    const controller = new AbortController();
    const result = runInSlices(counting(Number.POSITIVE_INFINITY, log), { budgetMs: 1, signal: controller.signal });
    setImmediate(() => controller.abort(new Error('enough')));
    await expect(result).rejects.toThrow('enough');
    expect(log).toEqual(['ended']);
  });
});

describe('abortable', () => {
  it('abortable is the same work until the signal aborts', () => {
    const controller = new AbortController();
    const log: string[] = [];
    expect(runAtOnce(abortable(counting(5), controller.signal))).toBe(5);
    expect(runAtOnce(abortable(counting(5), undefined))).toBe(5);
    const work = abortable(counting(5, log), controller.signal);
    work.next();
    controller.abort(new Error('enough'));
    expect(() => work.next()).toThrow('enough');
    expect(log).toEqual(['ended']);
  });
});
