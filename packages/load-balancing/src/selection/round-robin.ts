/**
 * Round robin: everyone in turn, as often as the weights say, spread out evenly.
 *
 * Chooses between three ways of keeping turns, which agree on what matters: over a full turn every backend comes up
 * exactly `weight` times, and a refused candidate loses its place to the others in proportion to their weights.
 */
import type { Backend } from '../backend.ts';
import { DeadlineRotation } from './deadline-rotation.ts';
import { EqualRotation } from './equal-rotation.ts';
import type { Selection, SelectionFactory } from './selection.ts';
import { SmoothRotation } from './smooth-rotation.ts';
import { type Steps, stepwiseFactory, weightsInSteps } from './steps.ts';

/** Up to here nginx's own algorithm, linear in the number of backends, is as quick as the heaps. */
const MAX_SMOOTH = 64;

function* steps(backends: readonly Backend[]): Steps<Selection> {
  const weights = yield* weightsInSteps(backends);
  if (weights.every((weight) => weight === weights[0])) return new EqualRotation(weights.length);
  return weights.length <= MAX_SMOOTH ? new SmoothRotation(weights) : yield* DeadlineRotation.steps(weights);
}

/**
 * Weighted, smooth round robin, the default; the key is ignored.
 *
 * Weights 5, 1, 1 give a a b a c a a, as in nginx. The order equals nginx's pick by pick for equal weights and for up
 * to 64 backends of different weights. Larger sets of different weights are scheduled in O(log n), spread at least as
 * evenly. Begins with the first backend again whenever the list changes.
 */
export const RoundRobin: SelectionFactory = stepwiseFactory('RoundRobin', steps);
