/**
 * Sorting in steps: `Array.prototype.sort` cannot stop for others in the middle of 100,000 addresses.
 *
 * A bottom-up merge sort of positions, which yields after each so many moves.
 */
import { STEP_ITEMS, type Steps } from './steps.ts';

/**
 * The numbers from 0 to count - 1 in ascending order. `precedes` says whether the first belongs before the second, and must be a
 * strict total order: then the result does not depend on the order in which things were given.
 */
export function* orderInSteps(count: number, precedes: (a: number, b: number) => boolean): Steps<Uint32Array> {
  let from = new Uint32Array(count);
  let to = new Uint32Array(count);
  for (let i = 0; i < count; i += 1) from[i] = i;
  for (let width = 1; width < count; width *= 2) {
    yield* mergeRuns(from, to, width, precedes);
    [from, to] = [to, from];
  }
  return from;
}

/** Merges each two neighbouring runs of a length in `from` into one in `to`. */
function* mergeRuns(
  from: Uint32Array,
  to: Uint32Array,
  width: number,
  precedes: (a: number, b: number) => boolean,
): Steps<void> {
  let left = 0;
  let right = 0;
  let middle = 0;
  let end = 0;
  for (let i = 0; i < from.length; i += 1) {
    if (i % STEP_ITEMS === 0) yield;
    if (i === end) {
      left = end;
      middle = Math.min(left + width, from.length);
      right = middle;
      end = Math.min(middle + width, from.length);
    }
    const takesRight = left === middle || (right < end && precedes(from[right] as number, from[left] as number));
    to[i] = from[takesRight ? right : left] as number;
    if (takesRight) right += 1;
    else left += 1;
  }
}
