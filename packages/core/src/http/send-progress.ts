/**
 * Tells whether a client still makes room for the response of one HTTP/2 stream.
 *
 * The rules of transport's WriteProgress, for what waits behind a flow-control window instead of a socket.
 */
import type { WriteVerdict } from '@cirque/transport';

/** {@link begin}, and when the time is over {@link judge}. Both are told the bytes taken so far and those that wait. */
export class SendProgress {
  #mark = 0;
  /** With a least rate: how many bytes must have been taken. */
  #goal = 0;

  /** Notes the state; answers after how many milliseconds to judge, 0 for never. */
  begin(taken: number, pending: number, timeoutMs: number, minBytesPerSecond: number): number {
    this.#mark = taken;
    this.#goal = minBytesPerSecond === 0 ? 0 : taken + pending;
    if (minBytesPerSecond === 0) return timeoutMs;
    return Math.ceil((Math.max(pending, minBytesPerSecond) * 1_000) / minBytesPerSecond);
  }

  judge(taken: number, pending: number): WriteVerdict {
    if (pending === 0) return 'done';
    const stalled = this.#goal > 0 ? taken < this.#goal : taken === this.#mark;
    return stalled ? 'stalled' : 'progress';
  }
}
