import { describe, expect, test } from 'vitest';
import { EncoderTable, entrySize } from './encoder-table.ts';

describe('EncoderTable', () => {
  test('finds a field and a name by how new they are', () => {
    const table = new EncoderTable(4_096);
    table.add('a', '1');
    table.add('b', '1');
    table.add('a', '2');
    expect(table.find('a', '2')).toBe(1);
    expect(table.find('b', '1')).toBe(2);
    expect(table.find('a', '1')).toBe(3);
    expect(table.find('a', '3')).toBe(0);
    expect(table.find('c', '1')).toBe(0);
    expect(table.findName('a')).toBe(1);
    expect(table.findName('b')).toBe(2);
    expect(table.findName('c')).toBe(0);
  });

  test('is not confused by names that every object has', () => {
    const table = new EncoderTable(4_096);
    expect(table.find('__proto__', '')).toBe(0);
    expect(table.findName('constructor')).toBe(0);
  });

  test('forgets the oldest, and their names with the last of them', () => {
    const table = new EncoderTable(34 * 3);
    for (const [name, value] of ['a1', 'a2', 'b1', 'a3', 'b2', 'c1']) table.add(name as string, value as string);
    expect(table.find('a', '1')).toBe(0);
    expect(table.find('a', '3')).toBe(3);
    table.add('c', '2');
    expect(table.findName('a')).toBe(0);
    expect(table.find('b', '2')).toBe(3);
    expect(table.size).toBe(34 * 3);
    table.maxSize = 0;
    expect(table.size).toBe(0);
    expect(table.findName('b')).toBe(0);
    table.maxSize = 34;
    table.add('d', '1');
    expect(table.find('d', '1')).toBe(1);
  });

  test('looks at a bounded number of values of one name', () => {
    const table = new EncoderTable(4_096);
    for (let i = 0; i < 40; i++) table.add('a', String(i));
    expect(table.find('a', '39')).toBe(1);
    expect(table.find('a', '24')).toBe(16);
    expect(table.find('a', '23')).toBe(0);
  });

  test('entrySize counts the overhead of RFC 7541 section 4.1', () => {
    expect(entrySize('name', 'value')).toBe(41);
  });
});
