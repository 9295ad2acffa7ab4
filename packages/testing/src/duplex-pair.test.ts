import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { expect, test } from 'vitest';
import { duplexPair } from './duplex-pair.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Reads to the end. An async iterator would destroy the stream, and with it the other direction. */
async function readAll(end: Duplex): Promise<string> {
  let text = '';
  end.on('data', (chunk: Buffer) => {
    text += chunk;
  });
  await once(end, 'end');
  return text;
}

function destroyBoth(...ends: Duplex[]): void {
  for (const end of ends) end.destroy();
}

test('duplexPair carries bytes both ways', async () => {
  const [left, right] = duplexPair();
  left.end('ping');
  right.end('pong');
  expect(await Promise.all([readAll(right), readAll(left)])).toEqual(['ping', 'pong']);
});

test('duplexPair delivers copies in a later turn', async () => {
  const [left, right] = duplexPair();
  const received: Buffer[] = [];
  right.on('data', (chunk: Buffer) => received.push(chunk));
  const source = Buffer.from('abc');
  left.write(source);
  expect(received).toEqual([]);
  await turn();
  await turn();
  source.fill(0);
  expect(received.map(String)).toEqual(['abc']);
  destroyBoth(left, right);
});

test('duplexPair holds writes back until the other side reads', async () => {
  const [left, right] = duplexPair({ highWaterMark: 4 });
  expect(left.write('12345')).toBe(false);
  expect(left.write('678')).toBe(false);
  let drained = false;
  left.once('drain', () => {
    drained = true;
  });
  for (let i = 0; i < 10; i += 1) await turn();
  expect(drained).toBe(false);
  expect(right.readableLength).toBe(5);
  expect(String(right.read())).toBe('12345');
  await once(left, 'drain');
  await turn();
  expect(String(right.read())).toBe('678');
  destroyBoth(left, right);
});

test('duplexPair closes one direction at a time', async () => {
  const [left, right] = duplexPair();
  left.end('request');
  expect(await readAll(right)).toBe('request');
  expect(right.writable).toBe(true);
  right.end('answer');
  expect(await readAll(left)).toBe('answer');
  await turn();
  expect([left.destroyed, right.destroyed]).toEqual([true, true]);
});

test('duplexPair without half-open ends the other direction, too', async () => {
  const [left, right] = duplexPair({ allowHalfOpen: false });
  left.end();
  right.resume();
  left.resume();
  await Promise.all([once(right, 'close'), once(left, 'close')]);
  expect(right.writableFinished).toBe(true);
});

test('duplexPair: destroying with an error resets the other side', async () => {
  const [left, right] = duplexPair();
  const leftFailed = once(left, 'error');
  const rightFailed = once(right, 'error');
  left.destroy(new Error('cable cut'));
  expect((await leftFailed)[0]).toMatchObject({ message: 'cable cut' });
  expect((await rightFailed)[0]).toMatchObject({ code: 'ECONNRESET' });
});

test('duplexPair: destroying without an error ends the other side, whose writes then fail', async () => {
  const [left, right] = duplexPair();
  left.destroy();
  expect(await readAll(right)).toBe('');
  const failed = once(right, 'error');
  right.write('too late');
  expect((await failed)[0]).toMatchObject({ code: 'EPIPE' });
});

test('duplexPair: destroying releases a write that waits for it', async () => {
  const [left, right] = duplexPair({ highWaterMark: 1 });
  left.write('full');
  const done = new Promise<string>((resolve) => left.write('waits', (error) => resolve(error?.message ?? 'ok')));
  left.on('error', () => undefined);
  await turn();
  await turn();
  right.destroy();
  expect(await done).toBe('write EPIPE');
  left.destroy();
});
