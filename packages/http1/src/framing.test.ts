import { CirqueError } from '@cirque/error';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FieldFacts, type ScanRules, scanFields } from './field-scan.ts';
import { CHUNKED, forbidsContentLength, hasNoBody, requestFraming, responseFraming, UNTIL_CLOSE } from './framing.ts';
import type { Http1Leniency } from './limits.ts';

type Field = readonly [name: string, value: string];
type Verdict = number | 'chunked' | 'until close' | 'refused';

function scanned(fields: readonly Field[], source: ScanRules['source']): FieldFacts {
  const text = `${fields.map(([name, value]) => `${name}:${value}\r\n`).join('')}\r\n`;
  const facts = new FieldFacts();
  const rules: ScanRules = { source, maxFields: 200, foldedLines: false, spaceBeforeColon: false };
  expect(scanFields(Buffer.from(text, 'latin1'), 0, text.length, rules, facts)).toBe(text.length);
  return facts;
}

function verdict(decide: () => number): Verdict {
  try {
    const framing = decide();
    return framing === CHUNKED ? 'chunked' : framing === UNTIL_CLOSE ? 'until close' : framing;
  } catch (error) {
    if (!(error instanceof CirqueError)) throw error;
    return 'refused';
  }
}

function all(fields: readonly Field[], name: string): string[] {
  return fields.filter(([one]) => one.toLowerCase() === name).map(([, value]) => value.replace(/^[ \t]+|[ \t]+$/g, ''));
}

const IS_LENGTH = /^[0-9]{1,15}$/;

/** RFC 9112 section 6.3 for requests, rule by rule, with the ambiguous cases refused. */
function naiveRequest(fields: readonly Field[], minorVersion: number, lenient: Http1Leniency): Verdict {
  const codings = all(fields, 'transfer-encoding');
  const lengths = all(fields, 'content-length');
  // Rule 3: both.
  if (codings.length > 0 && lengths.length > 0 && lenient.contentLengthWithTransferEncoding !== true) return 'refused';
  // Rule 4, and section 6.1: nothing but chunked, and never in HTTP/1.0.
  if (codings.length > 0) {
    return minorVersion > 0 && codings.length === 1 && /^chunked$/i.test(codings[0] as string) ? 'chunked' : 'refused';
  }
  // Rule 5.
  if (lengths.some((length) => !IS_LENGTH.test(length))) return 'refused';
  const numbers = new Set(lengths.map(Number));
  if (numbers.size > 1 || (lengths.length > 1 && lenient.repeatedContentLength !== true)) return 'refused';
  // Rules 6 and 7.
  return [...numbers][0] ?? 0;
}

/** The same for responses. */
function naiveResponse(fields: readonly Field[], status: number, minorVersion: number, method: string): Verdict {
  // Rules 1 and 2.
  if (method === 'HEAD' || (status >= 100 && status <= 199) || status === 204 || status === 304) return 0;
  if (method === 'CONNECT' && status >= 200 && status <= 299) return 0;
  const codings = all(fields, 'transfer-encoding');
  if (codings.length > 0) {
    return minorVersion > 0 && codings.length === 1 && /^chunked$/i.test(codings[0] as string) ? 'chunked' : 'refused';
  }
  const lengths = all(fields, 'content-length');
  if (lengths.some((length) => !IS_LENGTH.test(length))) return 'refused';
  const numbers = new Set(lengths.map(Number));
  if (numbers.size > 1) return 'refused';
  // Rules 6 and 8.
  return [...numbers][0] ?? 'until close';
}

const blank = fc.string({ unit: fc.constantFrom(' ', '\t'), maxLength: 2 });
const length = fc.oneof(
  fc.integer({ min: 0, max: 12 }).map(String),
  fc.constantFrom(
    '05',
    '0',
    '00',
    '',
    '-1',
    '+1',
    '1 1',
    '1,1',
    '0x1',
    '1e1',
    '1.0',
    '\xb9',
    '1\xa0',
    '9'.repeat(15),
    '9'.repeat(16),
  ),
);
const coding = fc.oneof(
  fc.constantFrom('chunked', 'Chunked', 'CHUNKED'),
  fc.constantFrom('', 'gzip', 'gzip, chunked', 'chunked, gzip', 'chunked,chunked', 'chunked,', ',chunked', 'identity'),
  fc.constantFrom('xchunked', 'chunkedx', 'chunked;a', '"chunked"', 'chunked\xa0', 'chun ked'),
);
const lengthField = fc.tuple(
  fc.constantFrom('Content-Length', 'content-length', 'CONTENT-length'),
  blank,
  length,
  blank,
);
const codingField = fc.tuple(fc.constantFrom('Transfer-Encoding', 'transfer-ENCODING'), blank, coding, blank);
const otherField = fc.tuple(
  fc.constantFrom(
    'Content-Lengt',
    'Content-Length2',
    'Content_Length',
    'Transfer_Encoding',
    'Transfer-Encodin',
    'X',
    'TE',
  ),
  blank,
  fc.constantFrom('chunked', '5'),
  blank,
);
const fields = fc
  .array(fc.oneof(lengthField, codingField, otherField), { maxLength: 4 })
  .map((rows) => rows.map(([name, before, value, after]): Field => [name, `${before}${value}${after}`]));
const lenient = fc.record({ contentLengthWithTransferEncoding: fc.boolean(), repeatedContentLength: fc.boolean() });

describe('requestFraming', () => {
  test('requestFraming decides as RFC 9112 section 6.3 read literally does', () => {
    const seen = new Set<Verdict>();
    fc.assert(
      fc.property(fields, fc.integer({ min: 0, max: 1 }), lenient, (given, minorVersion, leniency) => {
        const decided = verdict(() => requestFraming(scanned(given, 'Downstream'), minorVersion, leniency));
        seen.add(typeof decided === 'number' ? 0 : decided);
        expect(decided).toBe(naiveRequest(given, minorVersion, leniency));
      }),
      { numRuns: 3_000 },
    );
    expect(seen).toEqual(new Set([0, 'chunked', 'refused']));
  });

  test.each([
    [
      [
        ['Transfer-Encoding', 'chunked'],
        ['Content-Length', '5'],
      ],
      1,
      undefined,
    ],
    [[['Transfer-Encoding', 'gzip, chunked']], 1, 501],
    [[['Transfer-Encoding', 'gzip']], 1, 400],
    [[['Transfer-Encoding', 'chunked']], 0, undefined],
    [[['Content-Length', 'x']], 1, undefined],
  ] as [Field[], number, number | undefined][])(
    'requestFraming blames the client: %j',
    (given, minorVersion, status) => {
      const facts = scanned(given, 'Downstream');
      expect(() => requestFraming(facts, minorVersion, {})).toThrowError(
        expect.objectContaining({ type: 'InvalidHTTPHeader', source: 'Downstream', status: status ?? 400 }),
      );
    },
  );

  test('requestFraming tells codings apart in time proportional to their length', () => {
    const start = performance.now();
    for (const odd of [
      `,${' '.repeat(60_000)}x`,
      ' ,'.repeat(30_000),
      'chunked '.repeat(8_000),
      ',chunked'.repeat(8_000),
    ]) {
      expect(verdict(() => requestFraming(scanned([['Transfer-Encoding', odd]], 'Downstream'), 1, {}))).toBe('refused');
    }
    expect(performance.now() - start).toBeLessThan(1_000);
  });
});

describe('responseFraming', () => {
  test('responseFraming decides as RFC 9112 section 6.3 read literally does', () => {
    const seen = new Set<Verdict>();
    const status = fc.constantFrom(100, 101, 103, 199, 200, 204, 206, 299, 300, 304, 404, 500, 599);
    const method = fc.constantFrom('GET', 'HEAD', 'CONNECT', 'head', 'POST');
    fc.assert(
      fc.property(fields, status, fc.integer({ min: 0, max: 1 }), method, (given, code, minorVersion, asked) => {
        const decided = verdict(() => responseFraming(scanned(given, 'Upstream'), code, minorVersion, asked));
        seen.add(typeof decided === 'number' ? 0 : decided);
        expect(decided).toBe(naiveResponse(given, code, minorVersion, asked));
      }),
      { numRuns: 3_000 },
    );
    expect(seen).toEqual(new Set([0, 'chunked', 'until close', 'refused']));
  });

  test('responseFraming blames the upstream', () => {
    for (const given of [
      ['Transfer-Encoding', 'gzip'],
      ['Content-Length', 'x'],
    ] as Field[]) {
      expect(() => responseFraming(scanned([given], 'Upstream'), 200, 1, 'GET')).toThrowError(
        expect.objectContaining({ type: 'InvalidHTTPHeader', source: 'Upstream', status: undefined }),
      );
    }
  });
});

test('hasNoBody and forbidsContentLength follow RFC 9112 section 6.3 and RFC 9110 section 8.6', () => {
  const statuses = [100, 101, 199, 200, 204, 205, 304, 305, 404];
  expect(statuses.filter((status) => hasNoBody(status, 'GET'))).toEqual([100, 101, 199, 204, 304]);
  expect(statuses.filter((status) => hasNoBody(status, 'HEAD'))).toEqual(statuses);
  expect(statuses.filter((status) => hasNoBody(status, 'CONNECT'))).toEqual([100, 101, 199, 200, 204, 205, 304]);
  expect(statuses.filter((status) => forbidsContentLength(status))).toEqual([100, 101, 199, 204]);
});
