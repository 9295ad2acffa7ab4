import { expect, test } from 'vitest';
import { LruMap } from './lru-map.ts';

test('LruMap: the entry that was used least recently goes first', () => {
  const map = new LruMap<number>(2);
  map.set('a', 1);
  map.set('b', 2);
  expect(map.get('a')).toBe(1);
  map.set('c', 3);
  expect([map.get('a'), map.get('b'), map.get('c'), map.size]).toEqual([1, undefined, 3, 2]);
});

test('LruMap: setting anew replaces, and counts as use', () => {
  const map = new LruMap<number>(2);
  map.set('a', 1);
  map.set('b', 2);
  map.set('a', 3);
  map.set('c', 4);
  expect([map.get('a'), map.get('b'), map.get('c')]).toEqual([3, undefined, 4]);
});

test('LruMap: forgets what is deleted', () => {
  const map = new LruMap<number>(2);
  map.set('a', 1);
  map.delete('a');
  expect([map.get('a'), map.size]).toEqual([undefined, 0]);
});
