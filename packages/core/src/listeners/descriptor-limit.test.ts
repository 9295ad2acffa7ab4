import { expect, test } from 'vitest';
import { maxAcceptedDescriptor, parseSoftLimit } from './descriptor-limit.ts';

test.each([
  [64, 47],
  [1_024, 895],
  [1_048_576, 1_047_551],
  [20, undefined],
])('maxAcceptedDescriptor of a limit of %i is %s', (limit, max) => {
  expect(maxAcceptedDescriptor(limit)).toBe(max);
});

test('maxAcceptedDescriptor knows the limit of this process on Linux', () => {
  expect(maxAcceptedDescriptor() === undefined).toBe(process.platform !== 'linux');
});

test('parseSoftLimit reads the first number, and nothing of files without a limit', () => {
  const head = 'Limit                     Soft Limit           Hard Limit           Units     \n';
  expect(
    parseSoftLimit(`${head}Max open files            1024                 524288               files     \n`),
  ).toBe(1_024);
  expect(
    parseSoftLimit(`${head}Max open files            unlimited            unlimited            files     \n`),
  ).toBeUndefined();
  expect(parseSoftLimit('')).toBeUndefined();
});
