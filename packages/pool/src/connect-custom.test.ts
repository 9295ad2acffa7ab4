import type { Duplex } from 'node:stream';
import { CirqueError } from '@cirque/error';
import { duplexPair, FakeClock } from '@cirque/testing';
import { TimerWheel } from '@cirque/timeout';
import { expect, test, vi } from 'vitest';
import { type CustomAttempt, connectCustom } from './connect-custom.ts';

const ADDRESS = { host: 'origin', port: 80 };
const NEVER = new AbortController().signal;

function attempt(connect: CustomAttempt['connect'], more: Partial<CustomAttempt> = {}): Promise<unknown> {
  return connectCustom({ connect, address: ADDRESS, timeoutMs: 0, signal: NEVER, ...more });
}

async function failure(connect: CustomAttempt['connect'], more: Partial<CustomAttempt> = {}): Promise<CirqueError> {
  const error: unknown = await attempt(connect, more).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(CirqueError);
  return error as CirqueError;
}

test('connectCustom: gives the address and the signal, and takes the stream', async () => {
  const [near] = duplexPair();
  const connect = vi.fn(() => Promise.resolve(near));
  expect(await attempt(connect)).toMatchObject({ duplex: near, side: 'Upstream' });
  expect(connect).toHaveBeenCalledExactlyOnceWith(ADDRESS, NEVER);
});

test('connectCustom: a function that answers at once is as good', async () => {
  const [near] = duplexPair();
  expect(await attempt((() => near) as unknown as CustomAttempt['connect'])).toMatchObject({ duplex: near });
});

test.each([
  ['rejects', () => Promise.reject(new Error('broken'))],
  [
    'throws',
    () => {
      throw new Error('broken');
    },
  ],
])('connectCustom: a function that %s is ConnectError', async (_, connect) => {
  const error = await failure(connect);
  expect(error).toMatchObject({ type: 'ConnectError', source: 'Upstream', context: 'connecting to origin:80' });
  expect(error.cause).toEqual(new Error('broken'));
});

test('connectCustom: errors of Node keep their meaning', async () => {
  const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
  expect((await failure(() => Promise.reject(refused))).type).toBe('ConnectRefused');
});

test('connectCustom: a CirqueError stays what it is, with a source', async () => {
  const error = new CirqueError('ConnectNoRoute', 'by my own rules', { retry: true });
  expect(await failure(() => Promise.reject(error))).toBe(error);
  expect(error).toMatchObject({ source: 'Upstream', retry: true });
});

test.each([
  ['nothing', undefined],
  ['null', null],
  ['something else', { write: () => true }],
])('connectCustom: %s instead of a stream is ConnectError', async (_, answer) => {
  const error = await failure(() => Promise.resolve(answer as unknown as Duplex));
  expect(error.type).toBe('ConnectError');
  expect(String(error)).toContain('customConnect did not answer a Duplex');
});

test.each([
  ['destroyed', (stream: Duplex) => void stream.destroy()],
  ['ended', (stream: Duplex) => void stream.end()],
])('connectCustom: a stream that is %s already is refused, as its close would never be heard', async (_, spoil) => {
  const [near] = duplexPair();
  spoil(near);
  const error = await failure(() => Promise.resolve(near));
  expect(String(error)).toContain('customConnect answered a stream that is closed');
  expect(near.destroyed).toBe(true);
});

test('connectCustom: is bounded by the deadline; a stream that comes later is destroyed, its errors are heard by nobody', async () => {
  const clock = new FakeClock();
  const wheel = new TimerWheel({ clock });
  const opening = Promise.withResolvers<Duplex>();
  const attempted = failure(() => opening.promise, { timeoutMs: 400, wheel });
  clock.advance(420);
  wheel.advance();
  expect(await attempted).toMatchObject({ type: 'ConnectTimedout', source: 'Upstream' });
  const [near] = duplexPair();
  opening.resolve(near);
  await new Promise((resolve) => setImmediate(resolve));
  expect(near.destroyed).toBe(true);
  expect(near.listenerCount('error')).toBeGreaterThan(0);
  expect(wheel.size).toBe(0);
});

test('connectCustom: a rejection or nonsense after the deadline harms nobody', async () => {
  for (const late of [Promise.reject(new Error('late')), Promise.resolve(undefined)]) {
    const clock = new FakeClock();
    const wheel = new TimerWheel({ clock });
    const opening = Promise.withResolvers<Duplex>();
    const attempted = failure(() => opening.promise, { timeoutMs: 400, wheel });
    clock.advance(420);
    wheel.advance();
    expect((await attempted).type).toBe('ConnectTimedout');
    opening.resolve(late as unknown as Promise<Duplex>);
    await new Promise((resolve) => setImmediate(resolve));
  }
});
