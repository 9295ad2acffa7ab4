import { expect, test } from 'vitest';
import { isStrongMatch, listedTags, matchesTagList, parseEntityTag } from './entity-tag.ts';

test('parseEntityTag tells weak from strong', () => {
  expect(parseEntityTag('"xyzzy"')).toEqual({ weak: false, opaque: '"xyzzy"' });
  expect(parseEntityTag('W/"xyzzy"')).toEqual({ weak: true, opaque: '"xyzzy"' });
  expect(parseEntityTag('""')).toEqual({ weak: false, opaque: '""' });
});

test.each(['', 'xyzzy', '"xyzzy', 'w/"xyzzy"', 'W/ "a"', '"a"b"', '"a b"', '"a", "b"'])(
  'parseEntityTag refuses %s',
  (value) => {
    expect(parseEntityTag(value)).toBeUndefined();
  },
);

// The table of RFC 9110 section 8.8.3.2.
test.each([
  ['W/"1"', 'W/"1"', false, true],
  ['W/"1"', 'W/"2"', false, false],
  ['W/"1"', '"1"', false, true],
  ['"1"', '"1"', true, true],
])('isStrongMatch and matchesTagList compare %s with %s', (a, b, strong, weak) => {
  expect(isStrongMatch(a, b)).toBe(strong);
  expect(matchesTagList(a, b)).toBe(weak);
});

test.each([
  ['*', '"a"', true],
  ['*', undefined, true],
  [' * ', '"a"', true],
  ['"a", "b",W/"c"', '"c"', true],
  ['"a", "b"', '"c"', false],
  ['"a,b"', '"a,b"', true],
  ['"a,b"', '"b"', false],
  ['"a"', undefined, false],
  ['W/', undefined, false],
  ['', '""', false],
  ['abc', 'abc', true],
  ['W/abc , x', 'abc', true],
  ['"*"', '"a"', false],
])('matchesTagList of %s has %s: %s', (list, etag, matches) => {
  expect(matchesTagList(list, etag)).toBe(matches);
});

test('listedTags leaves out empty members, and keeps tags as they are', () => {
  expect(listedTags(' "a" ,, W/"b,c"\t, d ')).toEqual(['"a"', 'W/"b,c"', 'd']);
  expect(listedTags(' , ')).toEqual([]);
});
