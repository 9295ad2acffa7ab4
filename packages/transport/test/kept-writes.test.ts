/**
 * Streams that keep what is written to them for longer than the write takes: nothing of it may change.
 */
import { duplexPair } from '@cirque/testing';
import { expect, test } from 'vitest';
import { Lease, Stream } from '../src/index.ts';

/** A stream whose writes are done at once; it has the chunks for good. */
function keeping(): { stream: Stream; kept: Buffer[] } {
  const kept: Buffer[] = [];
  const [duplex] = duplexPair();
  Object.assign(duplex, {
    _write: (chunk: Buffer, _encoding: string, done: () => void) => {
      kept.push(chunk);
      done();
    },
  });
  return { stream: new Stream(duplex, 'Upstream'), kept };
}

test.each([100, 20_000])('Stream.writeSlice: %d leased bytes may be read over', (length) => {
  const { stream, kept } = keeping();
  const lease = Lease.take();
  lease.buffer.fill('a', 0, length);
  stream.writeSlice(lease.buffer, 0, length, lease);
  lease.buffer.fill('b', 0, length);
  expect(Buffer.concat(kept).equals(Buffer.alloc(length, 'a'))).toBe(true);
  lease.release();
  stream.destroy();
});

test.each([100, 20_000])(
  'Stream.writeSlice: %d bytes without a lease do not lie in memory that is used again',
  (length) => {
    const { stream, kept } = keeping();
    for (const letter of 'abc') stream.writeSlice(Buffer.alloc(length, letter), 0, length, undefined);
    expect(kept.map((chunk) => chunk.toString('latin1', 0, 1)).join('')).toBe('abc');
    stream.destroy();
  },
);

test('Stream.writeLent: the bytes may change once done was called', async () => {
  const { stream, kept } = keeping();
  const bytes = Buffer.from('mine');
  await new Promise<void>((done) => {
    stream.writeLent(bytes, done);
  });
  bytes.fill('x');
  expect(Buffer.concat(kept).toString()).toBe('mine');
  stream.destroy();
});
