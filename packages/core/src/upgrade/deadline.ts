/**
 * Puts a limit on how long something is waited for.
 */
import { upgradeError } from './upgrade-error.ts';

/**
 * The outcome of `promise`, or a failure when it takes too long.
 *
 * @param what the beginning of the sentence "… within 5 seconds".
 * @param advice its end.
 */
export async function withDeadline<T>(promise: Promise<T>, ms: number, what: string, advice = ''): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(upgradeError(`${what} within ${ms / 1_000} seconds${advice}`)), ms);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
