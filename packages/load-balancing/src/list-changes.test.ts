import { describe, expect, it } from 'vitest';
import { ListChanges } from './list-changes.ts';
import type { Steps } from './run-in-slices.ts';

/** Work that goes on until it is let end, and writes down what happens. */
class Work {
  readonly log: string[];
  isOver = false;

  constructor(log: string[]) {
    this.log = log;
  }

  change(name: string, size: number): { size: number; run(): Steps<string> } {
    return { size, run: () => this.#run(name) };
  }

  *#run(name: string): Steps<string> {
    this.log.push(`${name} begins`);
    while (!this.isOver) yield;
    this.log.push(`${name} ends`);
    if (name === 'broken') throw new Error(name);
    return name;
  }
}

const turns = async (): Promise<void> => {
  for (let i = 0; i < 3; i += 1) await new Promise<void>((resolve) => setImmediate(resolve));
};

describe('ListChanges', () => {
  it('ListChanges runs what is short at once, and throws what it throws', () => {
    const log: string[] = [];
    const work = new Work(log);
    work.isOver = true;
    const lists = new ListChanges();
    expect(lists.run(work.change('short', 2_000))).toBe('short');
    expect(() => lists.run(work.change('broken', 0))).toThrow('broken');
    expect(lists.isBusy).toBe(false);
  });

  it('ListChanges runs what comes while a long one is under way after it, in order', async () => {
    const work = new Work([]);
    const lists = new ListChanges();
    const long = lists.run(work.change('long', 2_001));
    const short = lists.run(work.change('short', 1));
    const last = lists.run(work.change('last', 5_000));
    await turns();
    expect([work.log, lists.isBusy]).toEqual([['long begins'], true]);
    work.isOver = true;
    expect(await Promise.all([last, short, long])).toEqual(['last', 'short', 'long']);
    expect(work.log).toEqual(['long begins', 'long ends', 'short begins', 'short ends', 'last begins', 'last ends']);
    await lists.whenDone();
    expect(lists.isBusy).toBe(false);
    expect(lists.run(work.change('short', 1))).toBe('short');
  });

  it('ListChanges goes on after one that fails', async () => {
    const work = new Work([]);
    const lists = new ListChanges();
    const broken = lists.run(work.change('broken', 9_999));
    const next = lists.run(work.change('next', 0));
    work.isOver = true;
    await expect(broken).rejects.toThrow('broken');
    expect(await next).toBe('next');
    await lists.whenDone();
    expect(lists.isBusy).toBe(false);
  });
});
