import { expect, test } from 'vitest';
import { cookieValues } from './cookie-values.ts';

test.each<[string, string[]]>([
  ['', []],
  ['s=1', ['1']],
  ['a=0; s=1; b=2', ['1']],
  ['s=1; s=2', ['1', '2']],
  ['s="1"', ['1']],
  ['s="', ['"']],
  ['s=a=b', ['a=b']],
  ['s=', ['']],
  ['  s = 1 ;x', ['1']],
  ['s', []],
  ['xs=1; sx=2; S=3', []],
  ['x; s=1', ['1']],
  ['x;s=1;', ['1']],
  [';;; s=1', ['1']],
  ['=1; s=2', ['2']],
  ['x="s=1"; s=2', ['2']],
])('cookieValues finds s in %j', (field, values) => {
  expect(cookieValues(field, 's')).toEqual(values);
});
