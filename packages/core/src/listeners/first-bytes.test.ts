import type { Duplex } from 'node:stream';
import { CirqueError } from '@cirque/error';
import { duplexPair, FakeClock } from '@cirque/testing';
import { TimerWheel } from '@cirque/timeout';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type FirstBytes, readFirst } from './first-bytes.ts';

const soon = { ms: 1_000, error: () => CirqueError.downstream('HandshakeError', 'late') };

let near: Duplex;
let far: Duplex;
beforeEach(() => {
  [near, far] = duplexPair();
  near.on('error', () => {});
  far.on('error', () => {});
});
afterEach(() => {
  near.destroy();
  far.destroy();
});

/** The first line. */
function line(bytes: Buffer): FirstBytes<string> | undefined {
  const end = bytes.indexOf('\n');
  return end < 0 ? undefined : { value: bytes.toString('latin1', 0, end), used: end + 1 };
}

describe('readFirst', () => {
  test('readFirst leaves what it did not use, for every way of reading', async () => {
    far.write('one\ntwo\nthree');
    expect(await readFirst(near, line, soon)).toBe('one');
    expect(await readFirst(near, line, soon)).toBe('two');
    far.end(' four');
    let rest = '';
    for await (const chunk of near) rest += String(chunk);
    expect(rest).toBe('three four');
  });

  test('readFirst leaves a duplex that flows for listeners and pipes', async () => {
    far.write('one\nrest');
    await readFirst(near, line, soon);
    const rest = new Promise((resolve) => near.once('data', (chunk: Buffer) => resolve(chunk.toString())));
    expect(await rest).toBe('rest');
    near.pipe(near);
    far.write('echo');
    expect(String(await new Promise((resolve) => far.once('data', resolve)))).toBe('echo');
  });

  test('readFirst gives all that has come each time', async () => {
    const seen: string[] = [];
    const result = readFirst(
      near,
      (bytes) => {
        seen.push(bytes.toString());
        return line(bytes);
      },
      soon,
    );
    for (const byte of 'ab\n') {
      far.write(byte);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await result).toBe('ab');
    expect(seen).toEqual(['a', 'ab', 'ab\n']);
  });

  test('readFirst takes bytes that come together with the end', async () => {
    far.end('one\nrest');
    expect(await readFirst(near, line, soon)).toBe('one');
    let rest = '';
    for await (const chunk of near) rest += String(chunk);
    expect(rest).toBe('rest');
  });

  test.each([
    ['an end', () => far.end('half')],
    ['a destroy', () => near.destroy()],
  ])('readFirst rejects at %s before it has enough', async (_, leave) => {
    const result = readFirst(near, line, soon);
    leave();
    await expect(result).rejects.toMatchObject({ type: 'ConnectionClosed' });
    await expect(readFirst(near, line, soon)).rejects.toMatchObject({ type: 'ConnectionClosed' });
    expect(near.listenerCount('readable')).toBe(0);
  });

  test('readFirst rejects with what the judge throws', async () => {
    far.write('x');
    const refuse = (): never => {
      throw new Error('no');
    };
    await expect(readFirst(near, refuse, soon)).rejects.toThrow('no');
    expect(near.listenerCount('readable') + near.listenerCount('end')).toBe(0);
  });

  test('readFirst rejects at its deadline', async () => {
    const clock = new FakeClock();
    const wheel = new TimerWheel({ clock });
    clock.onAdvance(() => wheel.advance());
    const result = readFirst(near, line, { ...soon, wheel });
    far.write('half');
    clock.advance(1_100);
    await expect(result).rejects.toThrow('late');
  });
});
