import { expect, test } from 'vitest';
import { ClientTable } from './client-table.ts';

test('ClientTable knows clients by address and port', () => {
  const table = new ClientTable<string>();
  table.add('10.0.0.1', 53, 'a');
  table.add('10.0.0.1', 54, 'b');
  table.add('::1', 53, 'c');
  expect(table.size).toBe(3);
  expect([table.get('10.0.0.1', 53), table.get('10.0.0.1', 54), table.get('::1', 53)]).toEqual(['a', 'b', 'c']);
  expect([table.get('10.0.0.2', 53), table.get('10.0.0.1', 55)]).toEqual([undefined, undefined]);
});

test('ClientTable forgets clients, once', () => {
  const table = new ClientTable<string>();
  table.add('10.0.0.1', 53, 'a');
  table.add('10.0.0.1', 54, 'b');
  table.remove('10.0.0.1', 53);
  table.remove('10.0.0.1', 53);
  table.remove('10.0.0.9', 53);
  expect([table.size, table.get('10.0.0.1', 53), table.get('10.0.0.1', 54)]).toEqual([1, undefined, 'b']);
  table.remove('10.0.0.1', 54);
  expect([table.size, table.get('10.0.0.1', 54)]).toEqual([0, undefined]);
  table.add('10.0.0.1', 54, 'c');
  expect(table.get('10.0.0.1', 54)).toBe('c');
});
