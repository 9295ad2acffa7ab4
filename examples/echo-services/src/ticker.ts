// A background service: counts the seconds that the server has been running. It runs once, on the main thread; with
// threads, each of them has a copy, which is told of every change.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Replicated } from '@cirque/core';

export class Ticker implements Replicated<number> {
  readonly name = 'ticker';
  readonly #listeners = new Set<(ticks: number) => void>();
  #ticks = 0;

  get ticks(): number {
    return this.#ticks;
  }

  async start(signal: AbortSignal, ready: () => void): Promise<void> {
    ready();
    while (!signal.aborted) {
      await sleep(1_000, undefined, { signal }).catch(() => {});
      this.apply(this.#ticks + 1);
    }
  }

  snapshot(): number {
    return this.#ticks;
  }

  apply(ticks: number): void {
    this.#ticks = ticks;
    for (const listener of this.#listeners) listener(ticks);
  }

  onChange(listener: (ticks: number) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
