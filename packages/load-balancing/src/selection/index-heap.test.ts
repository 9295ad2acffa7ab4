import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IndexHeap } from './index-heap.ts';

describe('IndexHeap', () => {
  it('IndexHeap pops by key, equal keys by position, whatever was pushed and popped before', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 60 }),
        fc.infiniteStream(fc.boolean()),
        (keys, coins) => {
          const heap = new IndexHeap(Float64Array.from(keys));
          const inside = new Set<number>();
          const popSmallest = (): void => {
            const [smallest] = [...inside].toSorted((a, b) => (keys[a] ?? 0) - (keys[b] ?? 0) || a - b);
            expect(heap.peek()).toBe(smallest);
            expect(heap.pop()).toBe(smallest);
            inside.delete(smallest ?? -1);
          };
          for (const i of keys.keys()) {
            heap.push(i);
            inside.add(i);
            if (coins.next().value) popSmallest();
            expect(heap.size).toBe(inside.size);
          }
          while (inside.size > 0) popSmallest();
          expect(heap.size).toBe(0);
        },
      ),
    );
  });
});
