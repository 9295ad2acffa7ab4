/**
 * How long to wait so that bytes pass no faster than at a given rate.
 *
 * Tokens come with time, up to a quarter of a second's worth. Taking more than there are is a debt, which has to be waited
 * for: so a read of any size may pass, and the rate is kept on average.
 */

/** Seconds of tokens that are kept. */
const BURST_SECONDS = 0.25;

/** See the file's head. */
export class TokenBucket {
  readonly bytesPerSecond: number;
  readonly #most: number;
  #tokens: number;
  #at: number;

  /** @param now monotonic milliseconds. It begins full. */
  constructor(bytesPerSecond: number, now: number) {
    this.bytesPerSecond = bytesPerSecond;
    this.#most = bytesPerSecond * BURST_SECONDS;
    this.#tokens = this.#most;
    this.#at = now;
  }

  /** Takes tokens for bytes that pass now; answers for how many milliseconds nothing more should. */
  take(bytes: number, now: number): number {
    const earned = ((now - this.#at) * this.bytesPerSecond) / 1_000;
    this.#at = now;
    this.#tokens = Math.min(this.#most, this.#tokens + earned) - bytes;
    return this.#tokens >= 0 ? 0 : (-this.#tokens * 1_000) / this.bytesPerSecond;
  }
}
