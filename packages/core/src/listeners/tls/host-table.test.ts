import { describe, expect, test } from 'vitest';
import { HostTable } from './host-table.ts';

const table = new HostTable(
  ['a.example', 'B.Example.', '*.example', '*.a.example', 'localhost'].map((name) => [name, name] as const),
);

describe('HostTable', () => {
  test.each([
    ['a.example', 'a.example'],
    ['b.example', 'B.Example.'],
    ['c.example', '*.example'],
    ['x.a.example', '*.a.example'],
    ['x.b.example', undefined],
    ['x.y.a.example', undefined],
    ['example', undefined],
    ['localhost', 'localhost'],
    ['.example', undefined],
    ['constructor', undefined],
    ['__proto__', undefined],
  ])('finds %s as %s', (name, entry) => {
    expect(table.find(name)).toBe(entry);
  });

  test.each(['', '*', '*.', '**.example', 'a b', 'bücher.example', 'a.*.example', 'a/b'])(
    'refuses the host %j',
    (name) => {
      expect(() => new HostTable([[name, 1]])).toThrow(/is no server name/);
    },
  );

  test('refuses a host twice, however it is written', () => {
    const twice = ['a.example', 'A.EXAMPLE.'].map((name) => [name, 1] as const);
    expect(() => new HostTable(twice)).toThrow('host "A.EXAMPLE." is given twice');
    expect(
      () =>
        new HostTable([
          ['*.a', 1],
          ['*.A', 2],
        ]),
    ).toThrow('host "*.A" is given twice');
    expect(
      new HostTable([
        ['*.a', 1],
        ['a', 2],
      ]).find('a'),
    ).toBe(2);
  });
});
