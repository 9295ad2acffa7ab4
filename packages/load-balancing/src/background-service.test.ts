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

  it('backgroundService passes on what the task counts, if it counts', () => {
    class Counter extends Ticker {
      stats(): { ticks: number } {
        return { ticks: this.ticks };
      }
    }
    const counter = new Counter();
    const { stats } = backgroundService('counter', counter);
    counter.ticks = 3;
    expect(stats?.()).toEqual({ ticks: 3 });
    expect('stats' in backgroundService('ticker', new Ticker())).toBe(false);
  });

  it('backgroundService refuses an empty name and what is no task', () => {
    expect(() => backgroundService('', new Ticker())).toThrow(/name of a background service/);
    // @ts-expect-error no start method
    expect(() => backgroundService('x', {})).toThrow(/task of background service "x" must have a method start/);
  });
});
