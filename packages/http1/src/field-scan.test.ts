import { HeaderMap, HOP_BY_HOP_FIELDS, TOKEN_BYTES, VALUE_BYTES } from '@cirque/http';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BAD_LENGTH, FieldFacts, INCOMPLETE, NO_LENGTH, type ScanRules, scanFields } from './field-scan.ts';

const STRICT: ScanRules = { source: 'Downstream', maxFields: 200, foldedLines: false, spaceBeforeColon: false };
const LENIENT: ScanRules = { source: 'Upstream', maxFields: 200, foldedLines: true, spaceBeforeColon: true };

/** Facts of complete text, which stands between bytes that do not belong to it. */
function scan(text: string, rules: ScanRules = STRICT): FieldFacts {
  const facts = new FieldFacts();
  const buffer = Buffer.from(`\nX${text}Y\r\n`, 'latin1');
  expect(scanFields(buffer, 2, buffer.length - 3, rules, facts)).toBe(buffer.length - 3);
  return facts;
}

function scanPart(text: string, rules: ScanRules = STRICT): number {
  // What is behind the part would complete it.
  const buffer = Buffer.from(`${text}\r\n\r\n`, 'latin1');
  return scanFields(buffer, 0, text.length, rules, new FieldFacts());
}

describe('scanFields', () => {
  test('scanFields has nothing to say about an empty section', () => {
    const facts = scan('\r\n');
    expect(facts).toMatchObject({
      count: 0,
      contentLength: NO_LENGTH,
      contentLengthLines: 0,
      hostLines: 0,
      irregular: false,
    });
    expect([facts.transferEncoding, facts.connection, facts.host, facts.expect, facts.keepAlive]).toEqual(
      new Array(5).fill(undefined),
    );
    expect(facts.hopLines).toEqual([]);
  });

  test('scanFields notes the fields that matter, in any case, without the white space around them', () => {
    const facts = scan(
      'hOST:\t a:80 \r\nCONNECTION: x\r\nContent-length: 05\r\nconnection:\ty , z\r\nTRANSFER-encoding: a\r\nExpect:b\r\nKeep-Alive: timeout=5\r\n\r\n',
    );
    expect(facts).toMatchObject({
      count: 7,
      host: 'a:80',
      hostLines: 1,
      connection: 'x, y , z',
      contentLength: 5,
      contentLengthLines: 1,
      contentLengthCanonical: false,
      transferEncoding: 'a',
      expect: 'b',
      keepAlive: 'timeout=5',
    });
  });

  test('scanFields finds the same value again after another, and an empty one after a long one', () => {
    for (const host of ['a', 'a', 'b', 'a', '', 'aa', 'a', 'x'.repeat(100), 'x'.repeat(100), '']) {
      for (const spacing of [' ', '', '\t', '  ', ' ']) expect(scan(`Host:${spacing}${host}\r\n\r\n`).host).toBe(host);
    }
    for (const length of ['5', '50', '5', '0', '5 ']) {
      expect(scan(`Content-Length: ${length}\r\n\r\n`).contentLength).toBe(Number(length));
    }
    expect(scan('Connection: keep-alive \r\n\r\n').connection).toBe('keep-alive');
    expect(scan('Connection: keep-aliv\r\n\r\n').connection).toBe('keep-aliv');
    expect(scan('Connection: keep-alivex\r\n\r\n').connection).toBe('keep-alivex');
  });

  test.each([
    ['5', 5, 1, true],
    ['05', 5, 1, false],
    ['0', 0, 1, true],
    ['00', 0, 1, false],
    ['x', BAD_LENGTH, 1, true],
    ['5\r\nContent-Length: 5', 5, 2, true],
    ['5\r\nContent-Length: 05', 5, 2, false],
    ['5\r\nContent-Length: 6', BAD_LENGTH, 2, true],
    ['5\r\nContent-Length: 6\r\nContent-Length: 6', BAD_LENGTH, 3, true],
    ['x\r\nContent-Length: 5', BAD_LENGTH, 2, true],
    ['5\r\nContent-Length: ', BAD_LENGTH, 2, true],
  ])('scanFields reads Content-Length %j', (value, contentLength, contentLengthLines, contentLengthCanonical) => {
    expect(scan(`Content-Length: ${value}\r\n\r\n`)).toMatchObject({
      contentLength,
      contentLengthLines,
      contentLengthCanonical,
    });
  });

  test('scanFields is not led astray by names that resemble those that matter', () => {
    const near = [...HOP_BY_HOP_FIELDS, 'host', 'content-length', 'expect'].flatMap((name) => [
      name.slice(1),
      name.slice(0, -1),
      `${name}x`,
      `x${name}`,
      name.replace('-', '_'),
      // These differ from the name by the bit that folds case, or by the one beside it.
      String.fromCharCode(name.charCodeAt(0) ^ 0x01) + name.slice(1),
      name.slice(0, -1) + String.fromCharCode(name.charCodeAt(name.length - 1) ^ 0x02),
    ]);
    const lines = near.filter((name) => !HOP_BY_HOP_FIELDS.has(name) && name !== 'host' && name !== 'expect');
    for (const name of lines.filter((one) => one !== 'content-length')) {
      const facts = scan(`${name}: chunked\r\n\r\n`);
      expect([name, facts.hopLines]).toEqual([name, []]);
      expect(facts).toMatchObject({ hostLines: 0, contentLengthLines: 0 });
      expect([facts.transferEncoding, facts.connection, facts.expect]).toEqual([undefined, undefined, undefined]);
    }
  });

  test('scanFields marks hop-by-hop lines from start to end', () => {
    for (const name of HOP_BY_HOP_FIELDS) {
      for (const spelt of [name, name.toUpperCase()]) {
        const facts = scan(`A: b\r\n${spelt}: x\r\nC:\r\n${spelt}:\r\n\r\n`);
        const first = 6 + spelt.length + 5;
        expect(facts.hopLines).toEqual([6, first, first + 4, first + 4 + spelt.length + 3]);
      }
    }
  });

  test('scanFields needs all bytes, and looks at no byte behind the end', () => {
    const text = 'Host: a\r\nContent-Length: 5\r\n X: y\r\nZ :z\r\n\r\n';
    for (let end = 0; end < text.length; end += 1) expect(scanPart(text.slice(0, end), LENIENT)).toBe(INCOMPLETE);
    expect(scanPart(text, LENIENT)).toBe(text.length);
  });

  test('scanFields judges every byte of a name and of a value, wherever it stands', () => {
    for (let byte = 0; byte < 256; byte += 1) {
      const odd = String.fromCharCode(byte);
      for (let length = 0; length < 9; length += 1) {
        const before = 'v'.repeat(length);
        const value = `X: ${before}${odd}vvvvvvvv\r\n\r\n`;
        if (VALUE_BYTES[byte] === 1) expect(scan(value).count).toBe(1);
        else expect(() => scanPart(value)).toThrowError(/bare LF|bare CR|byte 0x/);
        if (odd === ':') continue;
        const name = `X${before}${odd}y: z\r\n\r\n`;
        if (TOKEN_BYTES[byte] === 1) expect(scan(name).count).toBe(1);
        else expect(() => scanPart(name)).toThrowError(/in a field name|white space before the colon/);
      }
    }
  });

  test.each([
    ['X : y\r\n\r\n', 'white space before the colon'],
    ['X\r\n', 'byte 0x0d in a field name'],
    ['X\n', 'byte 0x0a in a field name'],
    [': x', 'empty field name'],
    [' x', 'folded field line'],
    ['A: b\r\n c', 'folded field line'],
    ['A: b\n', 'bare LF in a field value'],
    ['A: b\rc', 'bare CR in a field value'],
    ['A: b\0', 'byte 0x00 in a field value'],
    ['\rx', 'bare CR in the header section'],
    ['\n', 'byte 0x0a in a field name'],
  ])('scanFields refuses %j without waiting for more', (text, message) => {
    expect(() => scanPart(text)).toThrowError(message);
  });

  test.each([
    [' x: y\r\n', 'folded field line'],
    [' : y\r\n', 'folded field line'],
    ['X y: z\r\n', 'byte 0x79 in a field name'],
    ['X \r\n', 'byte 0x0d in a field name'],
    [': y\r\n', 'empty field name'],
  ])('scanFields refuses %j of responses too', (text, message) => {
    expect(() => scanPart(text, LENIENT)).toThrowError(message);
  });

  test('scanFields counts fields, not lines, and says when there are too many', () => {
    const rules = { ...LENIENT, maxFields: 2 };
    expect(scan('A: b\r\n c\r\n d\r\nE :f\r\n\r\n', rules)).toMatchObject({ count: 2, irregular: true });
    expect(() => scanPart('A: b\r\nC: d\r\nE:', rules)).toThrowError(
      expect.objectContaining({ source: 'Upstream', status: undefined, context: 'more than 2 field lines' }),
    );
    expect(() => scanPart('A: b\r\nC: d\r\nE:', { ...STRICT, maxFields: 2 })).toThrowError(
      expect.objectContaining({ source: 'Downstream', status: 431 }),
    );
  });

  test('scanFields resets the facts of the last section', () => {
    const facts = new FieldFacts();
    const full = Buffer.from('Host: a\r\nTE: x\r\nConnection: y\r\nContent-Length: 05\r\nA : b\r\n\r\n');
    scanFields(full, 0, full.length, LENIENT, facts);
    expect(facts).not.toEqual(new FieldFacts());
    scanFields(Buffer.from('\r\n'), 0, 2, LENIENT, facts);
    expect(facts).toEqual(new FieldFacts());
  });

  test('scanFields leaves facts that a HeaderMap can rely on', () => {
    const name = fc.oneof(
      fc.constantFrom(...HOP_BY_HOP_FIELDS, 'Host', 'Content-Length', 'X-A', 'x-a', 'Set-Cookie', '!', '~', '^', '`'),
      fc.string({ unit: fc.constantFrom(..."aZ09!#$%&'*+-.^_`|~"), minLength: 1, maxLength: 20 }),
    );
    const value = fc.string({ unit: fc.constantFrom('a', ' ', '\t', ':', '5', '\xff'), maxLength: 9 });
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value, fc.boolean()), { maxLength: 12 }), (rows) => {
        const fields = rows.map(([n, v, upper]) => [upper ? n.toUpperCase() : n, v] as const);
        const block = fields.map(([n, v]) => `${n}:${v}\r\n`).join('');
        const facts = scan(`${block}\r\n`);
        const map = HeaderMap.fromBlock(block, facts.hopLines, -1, facts.names);
        const trimmed = fields.map(([n, v]) => [n, v.replace(/^[ \t]+|[ \t]+$/g, '')]);
        for (const [n] of fields) {
          const same = trimmed.filter(([other]) => other?.toLowerCase() === n.toLowerCase()).map(([, v]) => v);
          expect([n, map.get(n), map.has(n.toLowerCase()), map.getAll(n)]).toEqual([n, same[0], true, same]);
        }
        const copy = map.clone();
        copy.stripHopByHop(undefined);
        expect([...copy]).toEqual(trimmed.filter(([n]) => !HOP_BY_HOP_FIELDS.has((n as string).toLowerCase())));
        expect([...map]).toEqual(trimmed);
      }),
      { numRuns: 1_000 },
    );
  });
});
