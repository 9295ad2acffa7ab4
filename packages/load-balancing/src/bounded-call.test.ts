import { FakeClock } from '@cirque/testing';
import { TimerWheel } from '@cirque/timeout';
import { describe, expect, it } from 'vitest';
import { type Bounds, boundedCall } from './bounded-call.ts';

function setUp(): { clock: FakeClock; wheel: TimerWheel; bounds: Bounds } {
  const clock = new FakeClock();
  const wheel = new TimerWheel({ clock });
  clock.onAdvance(() => wheel.advance());
  return { clock, wheel, bounds: { timeoutMs: 1_000, wheel, onTimeout: () => new Error('too slow') } };
}

describe('boundedCall', () => {
  it('boundedCall passes results on and leaves no timer', async () => {
    const { bounds, wheel } = setUp();
    await expect(boundedCall(() => 1, bounds)).resolves.toBe(1);
    await expect(boundedCall(async () => 2, bounds)).resolves.toBe(2);
    await expect(boundedCall(() => Promise.reject(new Error('no')), bounds)).rejects.toThrow('no');
    const throwing = boundedCall(() => {
      throw new Error('at once');
    }, bounds);
    await expect(throwing).rejects.toThrow('at once');
    expect(wheel.size).toBe(0);
  });

  it('boundedCall ends at the deadline and tells the code so', async () => {
    const { bounds, clock, wheel } = setUp();
    let inner: AbortSignal | undefined;
    const call = boundedCall((signal) => {
      inner = signal;
      return new Promise(() => undefined);
    }, bounds);
    clock.advance(999);
    expect(inner?.aborted).toBe(false);
    clock.advance(40);
    await expect(call).rejects.toThrow('too slow');
    expect(inner?.reason).toMatchObject({ message: 'too slow' });
    expect(wheel.size).toBe(0);
  });

  it('boundedCall ends at once with the signal, before and during the call', async () => {
    const { bounds, wheel } = setUp();
    const controller = new AbortController();
    let calls = 0;
    const hang = (): Promise<never> => {
      calls += 1;
      return new Promise(() => undefined);
    };
    const call = boundedCall(hang, { ...bounds, signal: controller.signal });
    controller.abort(new Error('stop'));
    await expect(call).rejects.toThrow('stop');
    await expect(boundedCall(hang, { ...bounds, signal: controller.signal })).rejects.toThrow('stop');
    expect(calls).toBe(1);
    expect(wheel.size).toBe(0);
  });

  it('boundedCall ignores what comes too late, rejections included', async () => {
    const { bounds, clock } = setUp();
    let fail: (error: Error) => void = () => undefined;
    const call = boundedCall(() => new Promise((_, reject) => (fail = reject)), bounds);
    clock.advance(1_100);
    await expect(call).rejects.toThrow('too slow');
    fail(new Error('late'));
    await new Promise((resolve) => setImmediate(resolve));
  });
});
