import { describe, expect, test } from 'vitest';
import {
  type ConnectionLimitOptions,
  connectionLimitsOf,
  resolveConnectionLimits,
} from './connection-limit-options.ts';

describe('resolveConnectionLimits', () => {
  test('resolveConnectionLimits fills in the defaults', () => {
    const none = { maxConnections: undefined, maxConnectionsPerClient: undefined, clientPrefix: { v4: 32, v6: 64 } };
    expect(resolveConnectionLimits({}, true)).toEqual({ ...none, answers: true });
    expect(resolveConnectionLimits({}, false)).toEqual({ ...none, answers: false });
    expect(resolveConnectionLimits({ overLimit: 'close', clientPrefix: { v4: 24 } }, true)).toMatchObject({
      answers: false,
      clientPrefix: { v4: 24, v6: 64 },
    });
  });

  test.each([
    [{ maxConnections: 0 }, 'maxConnections must be a whole number above 0, got 0'],
    [{ maxConnectionsPerClient: 1.5 }, 'maxConnectionsPerClient must be a whole number above 0, got 1.5'],
    [{ clientPrefix: { v6: 129 } }, 'clientPrefix.v6 must be a whole number from 1 to 128, got 129'],
    [{ clientPrefix: { v4: 0 } }, 'clientPrefix.v4 must be a whole number from 1 to 32, got 0'],
    [{ clientPrefix: { ipv4: 8 } }, 'clientPrefix has no option "ipv4"; it has v4, v6'],
    [{ overLimit: '429' }, "overLimit must be 'close' or '503', got \"429\""],
    [{ overLimit: '503' }, "overLimit '503' needs an application with an overLimit() function"],
  ])('resolveConnectionLimits refuses %j', (options, message) => {
    expect(() => resolveConnectionLimits(options as ConnectionLimitOptions, false)).toThrow(message);
  });
});

test('connectionLimitsOf picks what is given', () => {
  const options = { name: 'x', maxConnections: 3, overLimit: 'close', clientPrefix: undefined } as const;
  expect(connectionLimitsOf(options)).toEqual({ maxConnections: 3, overLimit: 'close' });
});
