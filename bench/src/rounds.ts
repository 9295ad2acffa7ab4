/**
 * The order of the slices: A B C, then C B A, and so on, so that a slow drift of the machine favours nobody. Pure.
 */

/** The order in which the rows take their slices in this round (from 0). */
export function roundOrder<T>(rows: readonly T[], round: number): readonly T[] {
  return round % 2 === 0 ? rows : rows.toReversed();
}
