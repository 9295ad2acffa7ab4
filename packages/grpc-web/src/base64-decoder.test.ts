import { cutAtRandom, SeededRandom } from '@cirque/testing';
import { expect, test } from 'vitest';
import { Base64Decoder } from './base64-decoder.ts';

function decode(pieces: Iterable<Uint8Array>): Buffer {
  const decoder = new Base64Decoder();
  const out = Array.from(pieces, (piece) => decoder.push(Buffer.from(piece)));
  decoder.finish();
  return Buffer.concat(out);
}

test('Base64Decoder gives the same bytes however the text is cut and wherever it is padded', () => {
  const random = new SeededRandom(7);
  for (let round = 0; round < 300; round++) {
    const segments = Array.from({ length: random.int(0, 6) }, () =>
      Buffer.from(Array.from({ length: random.int(0, 20) }, () => random.int(0, 255))),
    );
    const text = Buffer.from(segments.map((segment) => segment.toString('base64')).join(''));
    expect(decode(cutAtRandom(text, round)), text.toString()).toEqual(Buffer.concat(segments));
  }
});

test.each([
  'A',
  'AB',
  'ABC',
  'AB=',
  'AAAAA',
  '=AAA',
  'A===',
  '====',
  'AB=C',
  'AA==A',
  'AB C',
  'AB\r\n',
  'AB-_',
  'AAA\xe9',
])('Base64Decoder refuses %j', (text) => {
  const bytes = Buffer.from(text, 'latin1');
  expect(() => decode([bytes])).toThrow(/not base64/);
  expect(() => decode(Array.from(bytes, (byte) => Buffer.of(byte)))).toThrow(/not base64/);
});
