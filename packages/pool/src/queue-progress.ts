/**
 * Tells whether the upstream still takes the body of an HTTP/2 request: as WriteProgress of transport does for a whole
 * connection, for what one stream has queued.
 */

/** {@link begin}, and when the time is over ask for {@link stalled}. */
export class QueueProgress {
  /** Bytes that must have been taken by then, counted from the beginning of the body. */
  #goal = 0;

  /**
   * Notes how much is queued of what was written; answers after how many milliseconds to judge, 0 for never.
   *
   * @param minBytesPerSecond 0: any progress within `timeoutMs` is enough. Else all that is queued must be taken within the
   * time that it needs at this rate, one second at least.
   */
  begin(queued: number, written: number, timeoutMs: number, minBytesPerSecond: number): number {
    if (minBytesPerSecond === 0) {
      this.#goal = written - queued + 1;
      return timeoutMs;
    }
    this.#goal = written;
    return Math.ceil((Math.max(queued, minBytesPerSecond) * 1_000) / minBytesPerSecond);
  }

  stalled(queued: number, written: number): boolean {
    return written - queued < this.#goal;
  }
}
