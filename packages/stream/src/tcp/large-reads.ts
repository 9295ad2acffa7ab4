/**
 * How many connections of this thread may read into large buffers at the same time, as each may keep one while it is idle.
 */

/** With 128 KiB each, 32 MiB. Those beyond read into the shared buffer, and copy. */
const MAX_LARGE_READERS = 256;

let readers = 0;

/** True when one more may; give it back with {@link returnLargeReads}. */
export function claimLargeReads(): boolean {
  if (readers >= MAX_LARGE_READERS) return false;
  readers += 1;
  return true;
}

export function returnLargeReads(): void {
  readers -= 1;
}
