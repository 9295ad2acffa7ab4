import { describe, expect, expectTypeOf, it } from 'vitest';
import { backgroundService } from './background-service.ts';

class Ticker {
  ticks = 0;

  async start(signal: AbortSignal, ready: () => void): Promise<void> {
    this.ticks += 1;
    ready();
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
  }
}

describe('backgroundService', () => {
  it('backgroundService starts the task it names, and gives it back with its type', async () => {
    const ticker = new Ticker();
    const service = backgroundService('ticker', ticker);
    expectTypeOf(service.task).toEqualTypeOf<Ticker>();
    expect(service.task).toBe(ticker);
    expect(service.name).toBe('ticker');
    const controller = new AbortController();
    let isReady = false;
    const ended = service.start(controller.signal, () => {
      isReady = true;
    });
    expect([ticker.ticks, isReady]).toEqual([1, true]);
    controller.abort();
    await ended;
  });

  it('backgroundService refuses an empty name and what is no task', () => {
    expect(() => backgroundService('', new Ticker())).toThrow(/name of a background service/);
    // @ts-expect-error no start method
    expect(() => backgroundService('x', {})).toThrow(/task of background service "x" must have a method start/);
  });
});
