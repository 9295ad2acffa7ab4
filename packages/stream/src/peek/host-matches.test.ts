import { expect, test } from 'vitest';
import { hostMatches } from './host-matches.ts';

test.each([
  ['a.example', 'a.example', true],
  ['A.Example.', 'a.example', true],
  ['a.example', 'A.EXAMPLE.', true],
  ['a.example', 'b.example', false],
  ['a.example', 'x.a.example', false],
  ['*.example', 'a.example', true],
  ['*.example', 'b.a.example', true],
  ['*.example', 'example', false],
  ['*.example', '.example', false],
  ['*.example', 'anexample', false],
  ['*', 'anything', true],
  ['*', '', false],
  ['', '', false],
  ['*.', 'a', false],
])('hostMatches of pattern %j and name %j is %s', (pattern, name, fits) => {
  expect(hostMatches(pattern, name)).toBe(fits);
});
