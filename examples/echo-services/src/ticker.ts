// A background service: counts the seconds that the server has been running.
import { setTimeout as sleep } from 'node:timers/promises';

export class Ticker {
  readonly name = 'ticker';
  ticks = 0;

  async start(signal: AbortSignal, ready: () => void): Promise<void> {
    ready();
    while (!signal.aborted) {
      await sleep(1_000, undefined, { signal }).catch(() => {});
      this.ticks += 1;
    }
  }
}
