/**
 * How long connections without a request are kept when the server stops, so that a request which is on the wire, or which
 * the client is about to send, is answered instead of met by an end.
 */

/** A client that sends now and then gets the time for one more request, which is answered with `Connection: close`. */
const LONGEST_MS = 2_000;

/** Milliseconds: the idle timeout (0: none) where that is shorter. */
export function drainLingerMs(idleTimeoutMs: number): number {
  return idleTimeoutMs > 0 ? Math.min(idleTimeoutMs, LONGEST_MS) : LONGEST_MS;
}
