/**
 * Notices that the heap of this thread is nearly full, while there is still time to be replaced in peace: a thread at its
 * limit is busy with collecting garbage, and answers nobody any more.
 */
import { getHeapSpaceStatistics } from 'node:v8';
import { resourceLimits } from 'node:worker_threads';

/** How often is looked, in milliseconds. */
const LOOK_EVERY_MS = 500;

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

/**
 * Only the old generation counts: what it may hold is what is configured, and what ends the thread. The young one may be
 * several times as large.
 */
function usedPartOfHeap(): number {
  const { maxOldGenerationSizeMb } = resourceLimits;
  if (maxOldGenerationSizeMb === undefined) return 0;
  const old = getHeapSpaceStatistics().filter(({ space_name: name }) => !/^(?:new|read_only|shared)/.test(name));
  return old.reduce((sum, { space_used_size: bytes }) => sum + bytes, 0) / (maxOldGenerationSizeMb * 1_048_576);
}
