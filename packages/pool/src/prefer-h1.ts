/**
 * Remembers for a while which peers are better asked over HTTP/1: by reuse key, and bounded in number.
 */
import { Timer, type TimerWheel } from '@cirque/timeout';

/** Beyond this the key that was remembered first is forgotten. */
const MAX_KEYS = 1_000;

/** Keys that forget themselves. */
export class PreferH1 {
  readonly #wheel: TimerWheel | undefined;
  readonly #timers = new Map<string, Timer>();

  constructor(wheel?: TimerWheel) {
    this.#wheel = wheel;
  }

  /** Remembers a key for the given time from now; 0: not at all. */
  add(key: string, forMs: number): void {
    this.delete(key);
    if (forMs === 0) return;
    const oldest = this.#timers.size >= MAX_KEYS ? this.#timers.keys().next().value : undefined;
    if (oldest !== undefined) this.delete(oldest);
    const timer = new Timer(() => this.#timers.delete(key), this.#wheel);
    timer.set(forMs);
    this.#timers.set(key, timer);
  }

  has(key: string): boolean {
    return this.#timers.has(key);
  }

  delete(key: string): void {
    this.#timers.get(key)?.close();
    this.#timers.delete(key);
  }

  /** Forgets everything. */
  clear(): void {
    for (const key of [...this.#timers.keys()]) this.delete(key);
  }
}
