/**
 * Delivers a response no faster than at a given rate (Pingora: the delay that a body filter answers; nginx: limit_rate).
 */
import { sleep, type TimerWheel } from '@cirque/timeout';

/** A rate is kept over slices of this length: shorter ones would cost timers, longer ones come in bursts. */
const SLICE_MS = 100;

/** The last filter of a body: keeps what it is given until its time has come. */
export class ResponsePacer {
  readonly #bytesPerSlice: number;
  readonly #write: (piece: Buffer) => void;
  readonly #signal: AbortSignal;
  readonly #wheel: TimerWheel | undefined;
  /** Bytes that may still go in this slice. */
  #left: number;

  /** @param write sends a slice on; the last one of each piece is the filter's answer. */
  constructor(
    bytesPerSecond: number,
    write: (piece: Buffer) => void,
    signal: AbortSignal,
    wheel: TimerWheel | undefined,
  ) {
    this.#bytesPerSlice = Math.max(1, Math.floor((bytesPerSecond * SLICE_MS) / 1_000));
    this.#left = this.#bytesPerSlice;
    this.#write = write;
    this.#signal = signal;
    this.#wheel = wheel;
  }

  /** Answers at once what fits, else later. */
  pace(body: Buffer | undefined): Buffer | undefined | Promise<Buffer> {
    if (body === undefined || body.length <= this.#left) {
      this.#left -= body?.length ?? 0;
      return body;
    }
    return this.#slowly(body);
  }

  async #slowly(body: Buffer): Promise<Buffer> {
    let at = 0;
    while (body.length - at > this.#left) {
      if (this.#left > 0) this.#write(body.subarray(at, at + this.#left));
      at += this.#left;
      await sleep(SLICE_MS, { signal: this.#signal, wheel: this.#wheel });
      this.#left = this.#bytesPerSlice;
    }
    this.#left -= body.length - at;
    return body.subarray(at);
  }
}
