import { describe, expect, test } from 'vitest';
import { DecoderTable } from './decoder-table.ts';

describe('DecoderTable', () => {
  test('numbers entries from the newest on', () => {
    const table = new DecoderTable(4_096);
    for (let i = 0; i < 100; i++) table.add(`n${i}`, `v${i}`);
    expect(table.count).toBe(100);
    for (let age = 0; age < 100; age++) {
      expect(table.name(age)).toBe(`n${99 - age}`);
      expect(table.value(age)).toBe(`v${99 - age}`);
    }
  });

  test('drops the oldest when it is full, round after round', () => {
    const table = new DecoderTable(34 * 20);
    for (let i = 0; i < 1_000; i++) {
      table.add(String.fromCharCode(0x61 + (i % 26)), String(i % 10));
      expect(table.count).toBe(Math.min(i + 1, 20));
      expect(table.size).toBe(34 * table.count);
      expect(table.value(0)).toBe(String(i % 10));
      expect(table.value(table.count - 1)).toBe(String((i + 1 - table.count) % 10));
    }
  });

  test('grows in the middle of a round without changing the order', () => {
    const table = new DecoderTable(34 * 16);
    for (let i = 0; i < 24; i++) table.add('a', String(i % 10));
    table.maxSize = 4_096;
    for (let i = 24; i < 60; i++) table.add('a', String(i % 10));
    const values = Array.from({ length: table.count }, (_, age) => table.value(age));
    expect(values).toEqual(Array.from({ length: 52 }, (_, age) => String((59 - age) % 10)));
  });

  test('drops what does not fit when it shrinks', () => {
    const table = new DecoderTable(4_096);
    for (let i = 0; i < 10; i++) table.add('a', String(i));
    table.maxSize = 34 * 3 + 33;
    expect(table.count).toBe(3);
    expect([table.value(0), table.value(1), table.value(2)]).toEqual(['9', '8', '7']);
    table.maxSize = 0;
    expect(table.count).toBe(0);
    expect(table.size).toBe(0);
    table.add('', '');
    expect(table.count).toBe(0);
  });
});
