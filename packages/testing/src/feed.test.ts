import { expect, test } from 'vitest';
import { cutAt, cutAtRandom, feed, feedings, feedSync, toBytes } from './feed.ts';

const MESSAGE = 'GET / HTTP/1.1\r\nHost: a\xe9\r\n\r\n';

test.each(feedings(MESSAGE, { trailing: 'next' }))('feedings deliver every byte once, in order: $name', (feeding) => {
  expect(feeding.chunks.every((chunk) => chunk.length > 0)).toBe(true);
  const all = Buffer.concat([...feeding.chunks]).toString('latin1');
  expect(all).toBe(MESSAGE + feeding.trailing.toString('latin1'));
  expect(feeding.trailing.length > 0).toBe(feeding.name.includes('trailing'));
});

test('feedings are whole, byte by byte, and at as many random cuts as asked for', () => {
  expect(feedings('abc', { randomCuts: 1 }).map((feeding) => feeding.name)).toEqual([
    'whole',
    'byte by byte',
    'random cuts, seed 1',
  ]);
  expect(feedings('abc').length).toBe(10);
  expect(feedings('').find((feeding) => feeding.name === 'byte by byte')?.chunks).toEqual([]);
});

test('cutAtRandom cuts the same bytes differently for each seed, and equally for the same', () => {
  const lengths = (seed: number): number[] => cutAtRandom('x'.repeat(200), seed).map((chunk) => chunk.length);
  expect(lengths(1)).toEqual(lengths(1));
  expect(lengths(1)).not.toEqual(lengths(2));
});

test('cutAt cuts at the offsets, and refuses others', () => {
  expect(cutAt('abcd', 1, 3).map(String)).toEqual(['a', 'bc', 'd']);
  expect(cutAt('abcd').map(String)).toEqual(['abcd']);
  expect(() => cutAt('abcd', 3, 1)).toThrow('offsets must ascend from 0 to 4, got 3, 1');
  expect(() => cutAt('abcd', 5)).toThrow(RangeError);
});

test('feed gives copies and overwrites them after the call has settled', async () => {
  const source = toBytes('hello');
  const kept: Buffer[] = [];
  const seen: string[] = [];
  await feed([source], async (chunk) => {
    kept.push(chunk);
    await Promise.resolve();
    seen.push(chunk.toString('latin1'));
  });
  expect(seen).toEqual(['hello']);
  expect(kept.map((chunk) => chunk.toString('latin1'))).toEqual(['\xdb\xdb\xdb\xdb\xdb']);
  expect(source.toString('latin1')).toBe('hello');
});

test('feedSync overwrites each chunk before the next one', () => {
  const kept: Buffer[] = [];
  const seen: string[] = [];
  feedSync(cutAt('ab', 1), (chunk) => {
    seen.push(chunk.toString('latin1'), ...kept.map((old) => old.toString('latin1')));
    kept.push(chunk);
  });
  expect(seen).toEqual(['a', 'b', '\xdb']);
});
