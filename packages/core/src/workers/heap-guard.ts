/**
 * Notices that the heap of this thread is nearly full, while there is still time to be replaced in peace: a thread at its
 * limit is busy with collecting garbage, and answers nobody any more.
 */
import { getHeapStatistics } from 'node:v8';

/** How often is looked, in milliseconds. */
const LOOK_EVERY_MS = 1_000;

/** So full is too full, as a part of the limit. */
const TOO_FULL = 0.85;

/** Calls `onFull` once, when the heap has been too full at two looks in a row. The result ends the looking. */
export function watchHeap(onFull: () => void, usedPart: () => number = usedPartOfHeap): () => void {
  let wasFull = false;
  const timer = setInterval(() => {
    const isFull = usedPart() > TOO_FULL;
    if (isFull && wasFull) {
      clearInterval(timer);
      onFull();
    }
    wasFull = isFull;
  }, LOOK_EVERY_MS).unref();
  return () => clearInterval(timer);
}

function usedPartOfHeap(): number {
  const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics();
  return used / limit;
}
