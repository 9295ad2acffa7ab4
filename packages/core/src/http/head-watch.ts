/**
 * Bounds the time that a client takes for a head on HTTP/2, or for any frame but DATA, once it has begun: nothing else can
 * come on the connection before its end. Before the settings are exchanged the whole beginning has a deadline of its own.
 */
import { Timer, type TimerWheel } from '@cirque/timeout';

/** What is watched: the engine's `unfinishedHead`, once the settings are exchanged. */
export interface WatchedHeads {
  /** 0: there is none. Another number: another one. */
  readonly unfinishedHead: number;
  readonly settingsReceived: boolean;
  readonly localSettingsAcked: boolean;
}

/** One per connection; a timer is made only for those that need one. */
export class HeadWatch {
  readonly #heads: WatchedHeads;
  readonly #timeoutMs: number;
  readonly #late: () => void;
  readonly #wheel: TimerWheel | undefined;
  #watched = 0;
  #timer: Timer | undefined = undefined;

  /** @param timeoutMs 0: for ever. */
  constructor(heads: WatchedHeads, timeoutMs: number, late: () => void, wheel: TimerWheel | undefined) {
    this.#heads = heads;
    this.#timeoutMs = timeoutMs;
    this.#late = late;
    this.#wheel = wheel;
  }

  /** After everything that may have changed something. */
  look(): void {
    const { unfinishedHead } = this.#heads;
    if (unfinishedHead === this.#watched || this.#timeoutMs === 0) return;
    if (!this.#heads.settingsReceived || !this.#heads.localSettingsAcked) return;
    this.#watched = unfinishedHead;
    if (unfinishedHead === 0) {
      this.#timer?.clear();
      return;
    }
    this.#timer ??= new Timer(this.#late, this.#wheel);
    this.#timer.set(this.#timeoutMs);
  }

  close(): void {
    this.#timer?.close();
  }
}
