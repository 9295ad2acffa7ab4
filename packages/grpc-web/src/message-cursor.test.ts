import { expect, test } from 'vitest';
import { MessageCursor } from './message-cursor.ts';

const EMPTY = [0, 0, 0, 0, 0];
const TWO = [0, 0, 0, 0, 2, 9, 9];

test.each([
  ['no message', [[0, 0, 0, 0]], [0]],
  ['an empty message', [EMPTY], [5]],
  ['a message and the start of another', [[...TWO, 0]], [7]],
  ['two messages and no more', [[...TWO, ...EMPTY]], [12]],
  ['a prefix in two pieces', [TWO.slice(0, 3), TWO.slice(3)], [0, 4]],
  ['a message that ends with its piece, then another', [TWO.slice(0, 6), TWO.slice(6), TWO], [0, 1, 7]],
  ['a long message', [[0, 0, 1, 0, 0], Array(65_535).fill(1), [1, 0]], [0, 0, 1]],
  ['a message of almost 4 GiB', [[0, 255, 255, 255, 255, 1]], [0]],
] as [string, number[][], number[]][])('MessageCursor finds where messages end: %s', (_, pieces, ends) => {
  const cursor = new MessageCursor();
  expect(pieces.map((piece) => cursor.advance(Buffer.from(piece)))).toEqual(ends);
});
