import { expect, test } from 'vitest';
import type { EngineStream } from './stream.ts';
import { StreamTable } from './stream-table.ts';

const stream = (id: number): EngineStream => ({ id }) as EngineStream;

test('StreamTable finds open streams, oldest first', () => {
  const table = new StreamTable();
  for (const id of [1, 3, 5]) table.add(stream(id));
  table.remove(3, false);
  expect([...table.values()].map(({ id }) => id)).toEqual([1, 5]);
  expect([table.size, table.get(3), table.get(5)?.id]).toEqual([2, undefined, 5]);
  table.clear();
  expect(table.size).toBe(0);
});

test('StreamTable tells idle from closed, and closed from reset by us', () => {
  const table = new StreamTable();
  table.highest = 9;
  table.remove(3, true);
  table.remove(5, false);
  expect([1, 3, 5, 9, 11].map((id) => table.absence(id))).toEqual([
    'closed',
    'reset by us',
    'closed',
    'closed',
    'idle',
  ]);
  expect([1, 3, 5].map((id) => table.wasUsed(id))).toEqual([false, false, true]);
});

test('StreamTable ignores what may concern a reset that it has forgotten', () => {
  const table = new StreamTable();
  table.highest = 101;
  table.remove(5, true);
  for (let id = 7; id < 100; id += 2) table.remove(id, false);
  expect([3, 5, 7].map((id) => table.absence(id))).toEqual(['reset by us', 'reset by us', 'closed']);
});
