import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { codeOf, deriveCode, ERROR_TYPES } from './error-type.ts';

test.each(ERROR_TYPES)('codeOf: the code of %s follows the rule and stands in the README', (type) => {
  expect(codeOf(type)).toBe(deriveCode(type));
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  expect(readme).toContain(`| \`${type}\` | \`${codeOf(type)}\` |`);
});

test('codeOf gives every known type its own code', () => {
  expect(new Set(ERROR_TYPES.map(codeOf)).size).toBe(ERROR_TYPES.length);
});

test.each([
  ['QuotaExceeded', 'CQ_QUOTA_EXCEEDED'],
  ['HTTP2Oddity', 'CQ_HTTP2_ODDITY'],
  ['non 200 code', 'CQ_NON_200_CODE'],
  ['--x--', 'CQ_X'],
  ['', 'CQ_UNKNOWN_ERROR'],
  ['Größe', 'CQ_GR_E'],
  ['toString', 'CQ_TO_STRING'],
])('codeOf derives a code from the custom type %j', (type, code) => {
  expect(codeOf(type)).toBe(code);
});
