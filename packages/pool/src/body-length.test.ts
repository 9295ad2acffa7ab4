import { HeaderMap } from '@cirque/http';
import { expect, test } from 'vitest';
import { BodyLength } from './body-length.ts';

function begin(fields: Record<string, string | string[]>, bodyLength: number | undefined): [BodyLength, HeaderMap] {
  const headers = HeaderMap.from(fields);
  const length = new BodyLength();
  length.begin(headers, bodyLength);
  return [length, headers];
}

test('BodyLength: a length that is known is announced, an empty or unknown one is not', () => {
  expect(begin({}, 5)[1].get('content-length')).toBe('5');
  expect(begin({}, 0)[1].size).toBe(0);
  expect(begin({}, undefined)[1].size).toBe(0);
});

test('BodyLength: what the head announces counts', () => {
  const [length] = begin({ 'Content-Length': '5' }, undefined);
  length.take(3);
  expect(() => length.take(3)).toThrow('body is 1 bytes longer than its Content-Length');
  expect(() => length.end()).toThrow(expect.objectContaining({ type: 'PrematureBodyEnd', source: 'Internal' }));
  length.take(2);
  length.end();
});

test('BodyLength: any length will do where none is known', () => {
  const [length] = begin({}, undefined);
  length.take(1_000_000);
  length.end();
});

test.each([
  [{ 'Content-Length': '5' }, 0, 'is 5, but there is no body'],
  [{ 'Content-Length': 'five' }, undefined, 'is not one number'],
  [{ 'Content-Length': ['5', '6'] }, 5, 'is not one number'],
])('BodyLength: refuses %j', (fields, bodyLength, message) => {
  expect(() => begin(fields, bodyLength)).toThrow(message);
});

test('BodyLength: an announced length of 0 is no contradiction', () => {
  begin({ 'Content-Length': '0' }, 0)[0].end();
});
