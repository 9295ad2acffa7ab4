/**
 * One look at every socket, before something is sent that must not be sent in vain.
 */

/**
 * Calls back when every socket has been looked at once more.
 *
 * An immediate alone does not say that: set while the answer to a poll is worked through, as it is when a client's bytes
 * have come, it runs before the next poll. The one after it cannot.
 */
export function afterPoll(done: () => void): void {
  setImmediate(() => setImmediate(done));
}
