import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { normaliseFields } from './normalise-fields.ts';

describe('normaliseFields', () => {
  test.each([
    ['', ''],
    ['A: b\r\n', 'A: b\r\n'],
    ['A: b \t\r\nC:\r\n', 'A: b \t\r\nC:\r\n'],
    ['A : b\r\nC\t \t: d : e\r\n', 'A: b\r\nC: d : e\r\n'],
    ['A: b\r\n c\r\n', 'A: b c\r\n'],
    ['A: b \t\r\n\t \tc\r\nD: e\r\n', 'A: b c\r\nD: e\r\n'],
    ['A:\r\n b\r\n', 'A: b\r\n'],
    ['A :\r\n b\r\n', 'A: b\r\n'],
    ['A: b\r\n c\r\n d\r\n', 'A: b c d\r\n'],
    ['A: b\r\n \t\r\nC: d\r\n', 'A: b \r\nC: d\r\n'],
    ['A: b\r\n \r\n\t\r\n c\r\n', 'A: b   c\r\n'],
    ['A: b\r\n X-Evil : c\r\n', 'A: b X-Evil : c\r\n'],
  ])('normaliseFields(%j)', (text, expected) => expect(normaliseFields(text)).toBe(expected));

  test('normaliseFields keeps names, and values but for white space', () => {
    const name = fc.string({ unit: fc.constantFrom('a', 'B', '-', '9'), minLength: 1, maxLength: 5 });
    const blank = fc.string({ unit: fc.constantFrom(' ', '\t'), maxLength: 4 });
    const word = fc.string({ unit: fc.constantFrom('x', ':', ',', '\xe9'), maxLength: 5 });
    const folds = fc.array(fc.tuple(blank, word, blank), { maxLength: 5 });
    fc.assert(
      fc.property(fc.array(fc.tuple(name, blank, word, folds), { maxLength: 6 }), (fields) => {
        const text = fields
          .map(([n, before, first, more]) => {
            const rest = more.map(([a, w, b]) => `\r\n ${a}${w}${b}`).join('');
            return `${n}${before}:${first}${rest}\r\n`;
          })
          .join('');
        const lines = normaliseFields(text).split('\r\n').slice(0, -1);
        expect(lines).toHaveLength(fields.length);
        for (const [i, [n, , first, more]] of fields.entries()) {
          const line = lines[i] as string;
          expect(line.slice(0, line.indexOf(':'))).toBe(n);
          const words = [first, ...more.map(([, w]) => w)].filter((w) => w !== '');
          expect(
            line
              .slice(n.length + 1)
              .split(' ')
              .filter((w) => w !== ''),
          ).toEqual(words);
        }
      }),
    );
  });

  test.each([
    ['a run of spaces inside a value', `A: b${' '.repeat(60_000)}c\r\n d\r\n`],
    ['many folds of one field', `A: b\r\n${' c\r\n'.repeat(16_000)}`],
    ['many blank folds', `A: b\r\n${' \r\n'.repeat(20_000)}`],
    ['space before many colons', 'A \t : \t b\r\n'.repeat(5_000)],
    ['a long name', `${'a'.repeat(60_000)} : b\r\n c\r\n`],
  ])('normaliseFields takes time in proportion to its input: %s', (_, text) => {
    const start = performance.now();
    normaliseFields(text);
    // 60 KB take a millisecond or two; with a back-tracking pattern the first case took 18 seconds.
    expect(performance.now() - start).toBeLessThan(500);
  });
});
