import { expect, test } from 'vitest';
import { printPath, printValue } from './document-path.ts';

test.each([
  [[], ''],
  [['listeners', 0, 'address'], 'listeners[0].address'],
  [['tls', 'hosts', 'b.example', 'cert'], 'tls.hosts["b.example"].cert'],
  [['hosts', '*.example'], 'hosts["*.example"]'],
  [['set', 'X-Real-IP'], 'set.X-Real-IP'],
  [['a "b"'], '["a \\"b\\""]'],
])('printPath of %j is %s', (path, text) => {
  expect(printPath(path)).toBe(text);
});

test.each([
  ['text', '"text"'],
  [5, '5'],
  [Number.NaN, 'NaN'],
  [true, 'true'],
  [null, 'nothing'],
  [undefined, 'nothing'],
  [[], 'an empty list'],
  [[1], 'a list'],
  [{ secret: 1 }, 'a map'],
  ['https://user:password@host/x', '"https://...@host/x"'],
  ['x'.repeat(100), `"${'x'.repeat(56)}...`],
])('printValue of %j is %s', (value, text) => {
  expect(printValue(value)).toBe(text);
});
