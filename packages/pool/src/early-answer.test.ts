import { once } from 'node:events';
import { Duplex } from 'node:stream';
import { expect, test } from 'vitest';
import { keepReadable } from './early-answer.ts';

/** A stream whose writes fail as a broken connection's do. */
function broken(syscall: string): Duplex {
  return new Duplex({
    read() {},
    write: (_chunk, _encoding, done) => done(Object.assign(new Error(`${syscall} EPIPE`), { code: 'EPIPE', syscall })),
  });
}

test('keepReadable keeps a stream open when a write fails, if it is wanted, once', async () => {
  const stream = broken('write');
  const asked: string[] = [];
  keepReadable(stream, (error) => {
    asked.push(error.message);
    return true;
  });
  stream.on('error', () => undefined);
  stream.write('x');
  await new Promise((resolve) => setImmediate(resolve));
  expect([stream.destroyed, asked]).toEqual([false, ['write EPIPE']]);
  const received = once(stream, 'data');
  stream.push('an answer');
  expect(String((await received)[0])).toBe('an answer');
  stream.destroy();
  await once(stream, 'close');
  expect(asked).toHaveLength(1);
});

test('keepReadable lets a stream close when it is not wanted, or when something else failed', async () => {
  for (const [syscall, wanted] of [
    ['write', false],
    ['read', true],
  ] as const) {
    const stream = broken(syscall);
    keepReadable(stream, () => wanted);
    const failed = once(stream, 'error');
    stream.write('x');
    expect((await failed)[0]).toMatchObject({ syscall });
    expect(stream.destroyed).toBe(true);
  }
});
