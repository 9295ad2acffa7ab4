import { expect, test } from 'vitest';
import { runtimeWarning } from './runtime-check.ts';

test.each(['22.23.2', '22.24.0', '24.18.1', '24.21.0', '26.5.1', '26.10.0', '28.0.0'])(
  'runtimeWarning is silent for %s',
  (version) => {
    expect(runtimeWarning(version)).toBeUndefined();
  },
);

test.each([
  ['22.19.0', 'use 22.23.2 or later'],
  ['22.23.1', 'use 22.23.2 or later'],
  ['24.18.0', 'use 24.18.1 or later'],
  ['26.4.9', 'use 26.5.1 or later'],
  ['23.11.0', 'gets no security fixes'],
  ['25.1.0', 'gets no security fixes'],
])('runtimeWarning for %s: %s', (version, text) => {
  expect(runtimeWarning(version)).toContain(text);
});
