/**
 * The retry verdict that travels on an error.
 *
 * Retry is data: it is decided where the facts are (was anything sent, was the connection reused) and read
 * only by the retry loop of the proxy. Nothing here retries.
 */

/**
 * May the request be tried again?
 *
 * `true` and `false` are final. `'ReusedOnly'` means: only if the connection came out of the pool, because then
 * the failure is most likely the peer closing an idle connection. `settleRetry` turns it into a boolean.
 */
export type Retry = boolean | 'ReusedOnly';

/**
 * Settles a verdict once it is known whether the connection had been used before.
 *
 * Pingora panics when an undecided verdict is read; this function makes the missing fact an argument instead.
 */
export function settleRetry(retry: Retry, reused: boolean): boolean {
  return retry === 'ReusedOnly' ? reused : retry;
}
