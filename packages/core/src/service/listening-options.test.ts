import { expect, test } from 'vitest';
import { listeningOptionsOf } from './listening-options.ts';

test('listeningOptionsOf picks what is given, and nothing else', () => {
  const options = { name: 'x', threads: 2, maxConnections: 3, overLimit: undefined } as const;
  expect(listeningOptionsOf(options)).toEqual({ threads: 2, maxConnections: 3 });
  expect(Object.keys(listeningOptionsOf({ threads: undefined }))).toEqual([]);
});
