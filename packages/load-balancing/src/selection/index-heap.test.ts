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

  it('IndexHeap keeps its order when keys change and positions are removed, with ties that decide', () => {
    const steps = fc.array(fc.tuple(fc.nat({ max: 3 }), fc.nat({ max: 29 }), fc.nat({ max: 5 }), fc.nat({ max: 5 })));
    fc.assert(
      fc.property(steps, (acts) => {
        const keys = new Float64Array(30);
        const ties = new Float64Array(30);
        const heap = new IndexHeap(keys, ties);
        const inside = new Set<number>();
        for (const [act, position, key, tie] of acts) {
          if (act === 0 && inside.delete(position)) heap.remove(position);
          if (act === 0) continue;
          keys[position] = key;
          ties[position] = tie;
          if (inside.has(position)) heap.update(position);
          else heap.push(position);
          inside.add(position);
        }
        const byKey = (a: number, b: number): number =>
          (keys[a] ?? 0) - (keys[b] ?? 0) || (ties[a] ?? 0) - (ties[b] ?? 0) || a - b;
        expect(Array.from({ length: 30 }, (_, i) => heap.has(i))).toEqual(
          Array.from({ length: 30 }, (_, i) => inside.has(i)),
        );
        expect(Array.from({ length: heap.size }, (_, place) => heap.at(place)).sort(byKey)).toEqual(
          [...inside].sort(byKey),
        );
        expect(Array.from({ length: inside.size }, () => heap.pop())).toEqual([...inside].sort(byKey));
      }),
    );
  });
});
