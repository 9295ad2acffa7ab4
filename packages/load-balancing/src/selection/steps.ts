/**
 * Building in steps: work over long lists that lets others have the thread in between.
 *
 * A generator does the work once; run to its end it is `build`, handed out it is `buildInSteps`, so that both give the
 * same. Who runs the steps, and how many at a time, is the balancer's business.
 */
import type { Backend } from '../backend.ts';
import type { Selection, SelectionContext, SelectionFactory } from './selection.ts';

/** Work that stops now and then, and has a result in the end. */
export type Steps<T> = Generator<undefined, T, undefined>;

/** How many items of plain work, some ten or hundred nanoseconds each, make a step: below a millisecond. */
export const STEP_ITEMS = 2_048;

/** Does all of the work at once. */
export function runToEnd<T>(steps: Steps<T>): T {
  let result = steps.next();
  while (result.done !== true) result = steps.next();
  return result.value;
}

/** A factory whose two ways to build are one and the same work. */
export function stepwiseFactory(
  name: string,
  steps: (
    backends: readonly Backend[],
    previous: Selection | undefined,
    context: SelectionContext | undefined,
  ) => Steps<Selection>,
): SelectionFactory {
  return {
    name,
    build: (backends, previous, context) => runToEnd(steps(backends, previous, context)),
    buildInSteps: (backends, previous, context) => steps(backends, previous, context),
  };
}

/** The weights by position. About two milliseconds for 100,000 backends. */
export function weightsOf(backends: readonly Backend[]): Float64Array {
  return runToEnd(weightsInSteps(backends));
}

/** As `weightsOf`, in steps. */
export function* weightsInSteps(backends: readonly Backend[]): Steps<Float64Array> {
  const weights = new Float64Array(backends.length);
  for (let i = 0; i < weights.length; i += 1) {
    if (i % STEP_ITEMS === 0) yield;
    weights[i] = (backends[i] as Backend).weight;
  }
  return weights;
}
