import { Writable } from 'node:stream';
import { FakeClock } from '@cirque/testing';
import { TimerWheel } from '@cirque/timeout';
import { Stream } from '@cirque/transport';
import { describe, expect, test } from 'vitest';
import { WriteWatch, type WriteWatchOptions } from './write-watch.ts';

/** A client that takes a write when `take` is called. */
class Site {
  readonly clock = new FakeClock();
  readonly stream: Stream;
  readonly watch: WriteWatch;
  stalls = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(options: Partial<WriteWatchOptions> = {}) {
    const wheel = new TimerWheel({ clock: this.clock });
    this.clock.onAdvance(() => wheel.advance());
    const sink = new Writable({ highWaterMark: 10, write: (_chunk, _encoding, done) => void this.#waiting.push(done) });
    this.stream = new Stream(sink as never, 'Downstream');
    const stalled = (): void => {
      this.stalls += 1;
    };
    this.watch = new WriteWatch(this.stream, { writeTimeoutMs: 1_000, minSendRate: 0, ...options }, stalled, wheel);
  }

  write(bytes: number): void {
    this.stream.duplex.write(Buffer.alloc(bytes));
    this.watch.wrote();
  }

  async take(): Promise<void> {
    this.#waiting.shift()?.();
    await new Promise((resolve) => setImmediate(resolve));
  }

  pass(ms: number): void {
    this.clock.advance(ms, 20);
  }
}

describe('WriteWatch', () => {
  test('WriteWatch says when a client takes nothing in time, and only then', () => {
    const site = new Site();
    site.write(20);
    site.pass(960);
    expect(site.stalls).toBe(0);
    site.pass(100);
    expect(site.stalls).toBe(1);
    site.pass(10_000);
    expect(site.stalls).toBe(1);
  });

  test('WriteWatch is content with some progress in each interval', async () => {
    const site = new Site();
    for (let piece = 0; piece < 6; piece += 1) site.write(20);
    for (let round = 0; round < 5; round += 1) {
      await site.take();
      site.pass(1_040);
      expect(site.stalls).toBe(0);
    }
    site.pass(1_040);
    expect(site.stalls).toBe(1);
  });

  test('WriteWatch leaves alone what fits into the buffers, and what was drained', async () => {
    const site = new Site();
    site.write(5);
    site.pass(5_000);
    expect(site.stalls).toBe(0);
    site.write(20);
    site.watch.drained();
    site.pass(5_000);
    expect(site.stalls).toBe(0);
  });

  test('WriteWatch asks for a least rate where one is set', () => {
    const site = new Site({ minSendRate: 10 });
    site.write(50);
    site.pass(4_900);
    expect(site.stalls).toBe(0);
    site.pass(200);
    expect(site.stalls).toBe(1);
  });

  test('WriteWatch waits for ever without a timeout, and is silent once closed', () => {
    const patient = new Site({ writeTimeoutMs: 0 });
    patient.write(20);
    patient.pass(100_000);
    const closed = new Site();
    closed.write(20);
    closed.watch.close();
    closed.pass(5_000);
    expect([patient.stalls, closed.stalls]).toEqual([0, 0]);
  });
});
