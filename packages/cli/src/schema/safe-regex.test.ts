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
    '.*.*',
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
    '(\\d|x)*',
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
    ['.*a.*b.*', 'more than 2 times .* takes too long on long paths: use [^/]* where a segment is meant'],
    ['a'.repeat(1_001), 'it has 1001 characters, 1000 are the most'],
  ])('regexProblem of %j says: %s', (pattern, problem) => {
    expect(regexProblem(pattern)).toBe(problem);
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
