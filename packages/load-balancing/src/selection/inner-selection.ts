/**
 * Building an algorithm inside of another one.
 */
import type { Backend } from '../backend.ts';
import type { Selection, SelectionContext, SelectionFactory } from './selection.ts';
import type { Steps } from './steps.ts';

/** Builds the inner selection in steps where it can; `previous` is the inner selection of before. */
export function* innerSelection(
  factory: SelectionFactory,
  backends: readonly Backend[],
  previous: Selection | undefined,
  outer: SelectionContext | undefined,
): Steps<Selection> {
  const context = outer && { previous, now: () => outer.now(), random: () => outer.random() };
  if (factory.buildInSteps === undefined) return factory.build(backends, previous, context);
  return yield* factory.buildInSteps(backends, previous, context);
}

/** Throws TypeError naming the outer algorithm unless it looks like a factory. */
export function checkInner(name: string, inner: SelectionFactory): void {
  if (typeof inner?.build === 'function') return;
  throw new TypeError(`${name}: inner must have a method build(backends, previous): RoundRobin, Maglev or your own`);
}
