/**
 * Puts a limit on how long something is waited for.
 */
import { withDeadline as race } from '@cirque/timeout';
import { upgradeError } from './upgrade-error.ts';

/**
 * The outcome of `promise`, or a failure when it takes too long.
 *
 * @param what the beginning of the sentence "… within 5 seconds".
 * @param advice its end.
 */
export function withDeadline<T>(promise: Promise<T>, ms: number, what: string, advice = ''): Promise<T> {
  return race(promise, ms, () => upgradeError(`${what} within ${ms / 1_000} seconds${advice}`));
}
