import { expect, test } from 'vitest';
import { settleRetry } from './retry.ts';

test.each([
  [true, false, true],
  [true, true, true],
  [false, false, false],
  [false, true, false],
  ['ReusedOnly', false, false],
  ['ReusedOnly', true, true],
] as const)('settleRetry: %s on a connection reused=%s is %s', (retry, reused, expected) => {
  expect(settleRetry(retry, reused)).toBe(expected);
});
