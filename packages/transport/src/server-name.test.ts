import { expect, test } from 'vitest';
import { plainServerName } from './server-name.ts';

test.each<[string | false | null | undefined, string | undefined]>([
  ['a.example', 'a.example'],
  ['A.Example.', 'a.example'],
  ['xn--bcher-kva.example', 'xn--bcher-kva.example'],
  ['_sip.example', '_sip.example'],
  ['', undefined],
  ['.', undefined],
  [false, undefined],
  [null, undefined],
  [undefined, undefined],
  // The Kelvin sign is a k in lower case to Unicode, and none to DNS.
  ['\u212A.example', undefined],
  ['a\0.example', undefined],
  ['a。example', undefined],
  ['a b', undefined],
  ['a'.repeat(254), undefined],
])('plainServerName of %j is %j', (name, plain) => {
  expect(plainServerName(name)).toBe(plain);
});
