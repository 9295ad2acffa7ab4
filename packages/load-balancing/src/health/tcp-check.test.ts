import { describe, expect, it } from 'vitest';
import { TcpHealthCheck } from './tcp-check.ts';

describe('TcpHealthCheck', () => {
  it('TcpHealthCheck has Pingora’s defaults', () => {
    const check = new TcpHealthCheck();
    expect(check).toMatchObject({ consecutiveSuccess: 1, consecutiveFailure: 1, connectionTimeoutMs: 1_000 });
    expect([check.healthThreshold(true), check.healthThreshold(false)]).toEqual([1, 1]);
    expect(check.healthStatusChange).toBeUndefined();
  });

  it('TcpHealthCheck takes thresholds for each kind of result', () => {
    const check = new TcpHealthCheck({ consecutiveSuccess: 2, consecutiveFailure: 3 });
    expect([check.healthThreshold(true), check.healthThreshold(false)]).toEqual([2, 3]);
  });

  it.each(['consecutiveSuccess', 'consecutiveFailure', 'connectionTimeoutMs'])(
    'TcpHealthCheck refuses a bad %s',
    (option) => {
      for (const value of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
        expect(() => new TcpHealthCheck({ [option]: value })).toThrow(RangeError);
        expect(() => new TcpHealthCheck({ [option]: value })).toThrow(
          `${option} must be an integer from 1, got ${value}`,
        );
      }
    },
  );
});
