import { describe, expect, test } from 'vitest';
import { groupCount, regexProblem } from './safe-regex.ts';

describe('regexProblem', () => {
  test.each([
    '^/old/(.*)$',
    '^/a/([^/]+)/b/([^/]+)$',
    '\\.(png|jpe?g|gif)$',
    '^/(?:v1|v2)/(?<rest>.*)$',
    '^/[a-z]{2,5}(?:-[A-Z]{2})?/',
    '^/(a|b)*$',
    '(?:foo|bar)+',
    '^/\\d+/\\d+/\\d+$',
    '^/(?!api/)',
    '[(+*]+',
    '\\(a+\\)+',
    'a{2}b{3,}',
    '(a+){2}',
    '^.*.*',
    '.*x',
    '^/[^/]*/[^/]*/[^/]*/[^/]*$',
    '^(.*)/edit/(.*)$',
    '^/a/([^/]+)/.*/b',
    '^a*b*c*d*e*$',
    '(\\d|x)*',
    '^/(?:[a-f]|[g-z])+$',
    '{}]',
    '\\x41\\u0042\\cA\\/[\\b]\\b',
    'é+',
    '[\\]a]+',
    '^(?:(?:\\d{1,3})\\.){3}',
    '',
  ])('regexProblem finds nothing wrong with %j', (pattern) => {
    expect(regexProblem(pattern)).toBeUndefined();
  });

  test.each([
    '(a+)+',
    '(a*)*',
    '(a+)*$',
    '((a)+)+',
    '(?:a+){10}',
    '(?:a+){2,}',
    '(a|a)*',
    '(a|ab)+',
    '(\\d|1)*',
    '(|a)*',
    '(a?a?)*',
    '(?<x>a+)+',
    '(?:(?:a+)b)*',
    '([a-z]+/)*',
    '(?:x(?=a+))*',
    '(.*,){20}',
  ])('regexProblem refuses %j, whose matching can take exponential time', (pattern) => {
    expect(regexProblem(pattern)).toMatch(/^a repetition inside of a repetition/);
  });

  test.each([
    ['(', 'unterminated group'],
    ['[b-a]', 'range out of order in character class'],
    ['*', 'nothing to repeat'],
    ['(.)\\1', 'back references are not possible'],
    ['(?<a>.)\\k<a>', 'back references are not possible'],
    ['a'.repeat(1_001), 'it has 1001 characters, 1000 are the most'],
  ])('regexProblem of %j says: %s', (pattern, problem) => {
    expect(regexProblem(pattern)).toBe(problem);
  });
});

describe('regexProblem of several repetitions', () => {
  test.each([
    '.*.*',
    'a*.+',
    '.*a.*b.*',
    '^.*.*.*$',
    '^.*a.*b.*$',
    '^/\\w+/?\\w+/?\\w+$',
    '^a*(?:x|a*)a*$',
    '^a*(?=a*)a*$',
    '^a{1,50}a{1,50}a{1,50}$',
    '/.*/b/.*/c',
    '^a|.*b.*',
  ])('regexProblem refuses %j, whose time grows with the cube of the length', (pattern) => {
    expect(regexProblem(pattern)).toMatch(/^several repetitions that can share one text/);
  });
});

test.each([
  ['', 0],
  ['a', 0],
  ['(a)(?:b)(?<c>d)', 2],
  ['(a)|(b)', 2],
  ['\\(a\\)', 0],
])('groupCount of %j is %i', (pattern, count) => {
  expect(groupCount(pattern)).toBe(count);
});
