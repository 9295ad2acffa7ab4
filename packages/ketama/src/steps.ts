/**
 * Work in steps: a large ring takes a second to build, and whoever builds it may let others have the thread in between.
 */

/** Work that stops about every millisecond, and has a result in the end. */
export type Steps<T> = Generator<undefined, T, undefined>;

/** Does all of the work at once. */
export function runToEnd<T>(steps: Steps<T>): T {
  let result = steps.next();
  while (result.done !== true) result = steps.next();
  return result.value;
}
