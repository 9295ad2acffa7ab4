import { describe, expect, it } from 'vitest';
import { Backend } from '../backend.ts';
import { customHealthCheck } from './custom-check.ts';

const backend = Backend.parse('10.0.0.1:80');
const signal = new AbortController().signal;

describe('customHealthCheck', () => {
  it('customHealthCheck is well unless the function throws, rejects or answers false', async () => {
    const well = [() => undefined, () => true, async () => undefined, async () => true];
    for (const check of well) await customHealthCheck({ check }).check(backend, signal);
    const ill = [
      () => false,
      async () => false,
      () => Promise.reject(new Error('no')),
      () => {
        throw new Error('no');
      },
    ];
    for (const check of ill) await expect(customHealthCheck({ check }).check(backend, signal)).rejects.toThrow(Error);
    const refused = customHealthCheck({ check: () => false }).check(backend, signal);
    await expect(refused).rejects.toThrow('the check answered false');
  });

  it('customHealthCheck passes on the backend and the signal', async () => {
    let seen: unknown[] = [];
    const check = customHealthCheck({
      check: (...args) => {
        seen = args;
      },
    });
    await check.check(backend, signal);
    expect(seen).toEqual([backend, signal]);
  });

  it('customHealthCheck has the thresholds, callbacks and deadline of other checks', () => {
    const summary = (): string => 'db';
    const healthStatusChange = (): void => undefined;
    const options = { check: () => true, consecutiveSuccess: 2, consecutiveFailure: 3, summary, healthStatusChange };
    const check = customHealthCheck({ ...options, timeoutMs: 500 });
    expect([check.healthThreshold(true), check.healthThreshold(false)]).toEqual([2, 3]);
    expect(check).toMatchObject({ timeoutMs: 500, summary, healthStatusChange });
    expect(customHealthCheck(options).timeoutMs).toBe(10_000);
  });

  it('customHealthCheck refuses wrong options by name', () => {
    // @ts-expect-error check is required
    expect(() => customHealthCheck({})).toThrow('check must be a function (backend, signal), got undefined');
    expect(() => customHealthCheck({ check: () => true, timeoutMs: 0 })).toThrow('timeoutMs must be an integer from 1');
    expect(() => customHealthCheck({ check: () => true, consecutiveFailure: 0 })).toThrow('consecutiveFailure must be');
  });
});
