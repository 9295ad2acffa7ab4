/**
 * Asks the phase `peek` until it has seen enough, or until there will not be more.
 */
import { Timer, type TimerWheel } from '@cirque/timeout';
import type { ResolvedStreamOptions } from '../stream-options.ts';
import type { FirstBytes } from './first-bytes.ts';

/** True when it wants more. */
type Peek = (seen: Buffer, ended: boolean) => boolean;

/** See the file's head. Over when `done` was called, or it was stopped. */
export class Peeking {
  readonly #first: FirstBytes;
  readonly #peek: Peek;
  readonly #maxBytes: number;
  readonly #done: (error?: unknown) => void;
  readonly #timer: Timer;

  constructor(
    first: FirstBytes,
    peek: Peek,
    { peekMaxBytes, peekTimeoutMs }: Pick<ResolvedStreamOptions, 'peekMaxBytes' | 'peekTimeoutMs'>,
    wheel: TimerWheel | undefined,
    done: (error?: unknown) => void,
  ) {
    this.#first = first;
    this.#peek = peek;
    this.#maxBytes = peekMaxBytes;
    this.#done = done;
    this.#timer = new Timer(() => this.end(), wheel);
    if (peekTimeoutMs > 0) this.#timer.set(peekTimeoutMs);
  }

  /** There are more bytes. */
  more(): void {
    this.#ask(this.#first.length >= this.#maxBytes);
  }

  /** There will not be more. */
  end(): void {
    this.#ask(true);
  }

  stop(): void {
    this.#timer.close();
  }

  #ask(ended: boolean): void {
    const { bytes } = this.#first;
    let error: unknown;
    try {
      const seen = bytes.length > this.#maxBytes ? bytes.subarray(0, this.#maxBytes) : bytes;
      if (this.#peek(seen, ended) && !ended) return;
    } catch (thrown) {
      error = thrown ?? new Error('undefined was thrown');
    }
    this.stop();
    this.#done(error);
  }
}
