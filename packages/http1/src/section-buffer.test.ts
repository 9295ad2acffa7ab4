import { byteByByte, cutAtRandom } from '@cirque/testing';
import { describe, expect, test } from 'vitest';
import { SectionBuffer } from './section-buffer.ts';

function begun(text: string): SectionBuffer {
  const bytes = Buffer.from(text, 'latin1');
  return new SectionBuffer(bytes, 0, bytes.length);
}

function add(section: SectionBuffer, text: string): boolean {
  const bytes = Buffer.from(`<<${text}>>`, 'latin1');
  const worthwhile = section.add(bytes, 2, bytes.length - 2);
  bytes.fill(0xdb);
  return worthwhile;
}

/** Sixteen lines, so that line ends are no longer news. */
const MANY_LINES = 'a:\r\n'.repeat(16);

function experienced(): SectionBuffer {
  const section = begun('x');
  for (const byte of MANY_LINES) add(section, byte);
  return section;
}

describe('SectionBuffer', () => {
  test('SectionBuffer keeps copies of what it is given, in order', () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const text = 'Some: field\r\n'.repeat(40);
      const [first, ...rest] = cutAtRandom(text, seed) as [Buffer, ...Buffer[]];
      const section = begun(first.toString('latin1'));
      for (const chunk of rest) add(section, chunk.toString('latin1'));
      expect(section.bytes.toString('latin1', 0, section.length)).toBe(text);
    }
  });

  test('SectionBuffer.add reports the first lines at once', () => {
    const section = begun('GET / HT');
    expect(add(section, 'TP')).toBe(false);
    expect(add(section, '/1.1\r')).toBe(false);
    expect(add(section, '\n')).toBe(true);
    expect(add(section, 'A: b')).toBe(false);
    expect(add(section, '\r\nC')).toBe(true);
  });

  test('SectionBuffer.add does not report later lines', () => {
    const section = experienced();
    expect(add(section, 'b:\r\n')).toBe(false);
    expect(add(section, 'b:\r\nc: ')).toBe(false);
  });

  test.each([
    ['the end of the section', '\r\n'],
    ['a line and the end', 'b: c\r\n\r\n'],
    ['the end with bytes behind', '\r\nPOST /'],
    ['a bare LF', 'b: c\n'],
    ['a bare LF before a good line end', 'b: c\nd: e\r\n'],
  ])('SectionBuffer.add reports %s, however it is cut', (_, text) => {
    expect(add(experienced(), text)).toBe(true);
    const section = experienced();
    expect([...text].map((byte) => add(section, byte))).toContain(true);
  });

  test('SectionBuffer.add reports doubled sizes', () => {
    const section = begun('x'.repeat(100));
    expect(add(section, 'x'.repeat(99))).toBe(false);
    expect(add(section, 'x')).toBe(true);
    expect(add(section, 'x'.repeat(199))).toBe(false);
    expect(add(section, 'x')).toBe(true);
  });

  test.each([
    ['one line', 'x'.repeat(65_536)],
    ['many lines', 'a:\r\n'.repeat(16_384)],
    ['many folds', `a:\r\n${' \r\n'.repeat(21_844)}`],
  ])('SectionBuffer makes 64 KiB byte by byte worth few parses: %s', (_, text) => {
    const [first, ...rest] = byteByByte(text) as [Buffer, ...Buffer[]];
    const section = new SectionBuffer(first, 0, 1);
    let parses = 0;
    let parsed = 0;
    let copied = 0;
    let bytes = section.bytes;
    for (const byte of rest) {
      if (section.add(byte, 0, 1)) {
        parses += 1;
        parsed += section.length;
      }
      if (section.bytes !== bytes) copied += section.length;
      bytes = section.bytes;
    }
    expect(section.length).toBe(text.length);
    expect(parses).toBeLessThanOrEqual(16 + 17);
    expect(parsed).toBeLessThan(3 * text.length);
    expect(copied).toBeLessThan(3 * text.length);
    expect(section.bytes.length).toBeLessThanOrEqual(2 * text.length);
  });
});
