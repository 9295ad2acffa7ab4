import { describe, expect, test, vi } from 'vitest';
import { GroupState, type GroupStates } from './group-state.ts';
import type { Service } from './service.ts';
import { soleThread, type ThreadPlace } from './thread-place.ts';

/** A service with a number that all threads are to have. */
class Numbered implements Service {
  readonly name: string;
  readonly bytes: number;
  readonly replicated: {
    readonly key: string;
    value: number;
    snapshot(): unknown;
    apply(value: unknown): void;
    onChange(listener: (value: unknown) => void): () => void;
  };
  readonly listeners: Set<(value: unknown) => void> = new Set();

  constructor(name: string, { key = 'key', value = 0, bytes = 8 } = {}) {
    this.name = name;
    this.bytes = bytes;
    this.replicated = {
      key,
      value,
      snapshot() {
        return this.value;
      },
      apply(next) {
        this.value = next as number;
      },
      onChange: (listener) => {
        this.listeners.add(listener);
        return () => void this.listeners.delete(listener);
      },
    };
  }

  async start(): Promise<void> {}

  sharedMemory(rows: number): Record<string, number> {
    return { numbers: this.bytes * rows };
  }

  set(value: number): void {
    this.replicated.value = value;
    for (const listener of this.listeners) listener('only a part');
  }
}

const place: ThreadPlace = { ...soleThread(), index: 1, count: 2, row: 1, rows: 4 };

/** The state of the main thread, and that of a worker which hears of its changes. */
function pair(): { main: GroupState; worker: GroupState } {
  const [main, worker] = [new GroupState(), new GroupState()];
  main.rows = 4;
  worker.rows = 4;
  main.onChange((change) => worker.apply(structuredClone(change)));
  return { main, worker };
}

describe('GroupState', () => {
  test('gives a member in another thread the memory and the state of the main thread', async () => {
    const { main, worker } = pair();
    const memory = main.publish(new Numbered('one', { value: 7 }));
    const copy = new Numbered('one');
    const joined = await worker.join(copy, place, 0);
    expect(copy.replicated.value).toBe(7);
    new Uint8Array(memory.numbers as SharedArrayBuffer)[9] = 3;
    expect(new Uint8Array(joined?.numbers as SharedArrayBuffer)[9]).toBe(3);
    expect(memory.numbers?.byteLength).toBe(32);
    main.clearRow(1);
    expect(new Uint8Array(joined?.numbers as SharedArrayBuffer)[9]).toBe(0);
  });

  test('a member has joined when its state is in place, also where that takes a while', async () => {
    const { main, worker } = pair();
    main.publish(new Numbered('one', { value: 7 }));
    const copy = new Numbered('one');
    const placed = Promise.withResolvers<void>();
    Object.assign(copy.replicated, { applied: () => placed.promise });
    let hasJoined = false;
    const joined = worker.join(copy, place, 0).then(() => {
      hasJoined = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect([copy.replicated.value, hasJoined]).toEqual([7, false]);
    placed.resolve();
    await joined;
  });

  test('a member waits for the main thread, but not for ever', async () => {
    vi.useFakeTimers();
    try {
      const { main, worker } = pair();
      const copy = new Numbered('one');
      const joined = worker.join(copy, place, 10_000);
      await vi.advanceTimersByTimeAsync(9_000);
      main.publish(new Numbered('one', { value: 7 }));
      expect(await joined).toMatchObject({ numbers: expect.any(SharedArrayBuffer) });
      expect(copy.replicated.value).toBe(7);
      const never = worker.join(new Numbered('two'), place, 10_000);
      await vi.advanceTimersByTimeAsync(10_000);
      expect(await never).toBeUndefined();
    } finally {
      vi.useRealTimers();
    }
  });

  test('changes go to the members that they are about, complete', async () => {
    const { main, worker } = pair();
    const [one, two] = [new Numbered('one'), new Numbered('two')];
    main.publish(one);
    main.publish(two);
    const copies = [new Numbered('one'), new Numbered('two')];
    for (const copy of copies) await worker.join(copy, place, 0);
    one.set(5);
    expect(copies.map(({ replicated }) => replicated.value)).toEqual([5, 0]);
    worker.leave(copies[0] as Service);
    one.set(6);
    expect(copies.map(({ replicated }) => replicated.value)).toEqual([5, 0]);
  });

  test('a member that has another state than the one before it gets nothing of that', async () => {
    const { main, worker } = pair();
    const [old, next] = [new Numbered('one', { key: 'a', value: 1 }), new Numbered('one', { key: 'b', value: 2 })];
    main.publish(old);
    const before = new Numbered('one', { key: 'a' });
    await worker.join(before, place, 0);
    main.publish(next);
    main.withdraw(old);
    expect(before.replicated.value).toBe(1);
    const after = new Numbered('one', { key: 'b' });
    await worker.join(after, place, 0);
    expect(after.replicated.value).toBe(2);
    expect(old.listeners.size).toBe(0);
    expect(await worker.join(new Numbered('one', { key: 'a' }), place, 0)).toBeUndefined();
  });

  test('who takes the place of a member has its memory, where it needs the same', () => {
    const { main } = pair();
    const memory = main.publish(new Numbered('one'));
    expect(main.publish(new Numbered('one', { key: 'other' }))).toBe(memory);
    expect(main.publish(new Numbered('two'))).not.toBe(memory);
    expect(main.publish(new Numbered('one', { bytes: 16 }))).not.toBe(memory);
  });

  test('withdraw tells nobody as long as an equal member is there', () => {
    const { main } = pair();
    const told: GroupStates[] = [];
    main.onChange((change) => told.push(change));
    const [one, equal] = [new Numbered('one'), new Numbered('one')];
    main.publish(one);
    main.publish(equal);
    told.length = 0;
    main.withdraw(one);
    expect(told).toEqual([]);
    main.withdraw(equal);
    expect(told.map(({ gone }) => gone.length)).toEqual([1]);
    main.withdraw(equal);
    expect(told).toHaveLength(1);
    expect(main.snapshot()).toEqual({ members: {}, gone: [] });
  });
});
