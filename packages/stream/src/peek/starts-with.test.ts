import { expect, test } from 'vitest';
import { startsWith } from './starts-with.ts';

test.each([
  ['', 'SSH-', 'more'],
  ['SS', 'SSH-', 'more'],
  ['SSH-', 'SSH-', true],
  ['SSH-2.0', 'SSH-', true],
  ['SSL', 'SSH-', false],
  ['X', 'SSH-', false],
  ['', '', true],
  ['\xff\xfe', '\xff', true],
] as const)('startsWith says of %j and %j: %s', (seen, prefix, verdict) => {
  expect(startsWith(Buffer.from(seen, 'latin1'), prefix)).toBe(verdict);
  expect(startsWith(Buffer.from(seen, 'latin1'), Buffer.from(prefix, 'latin1'))).toBe(verdict);
});
