import type { SslDigest } from '@cirque/transport';
import { expect, test } from 'vitest';
import { TlsSessions } from './tls-sessions.ts';

const FRESH = { sessionReused: false } as SslDigest;
const RESUMED = { sessionReused: true } as SslDigest;
const HOUR_MS = 3_600_000;

test('TlsSessions: the last session of a key is kept', () => {
  const sessions = new TlsSessions();
  sessions.put('a', Buffer.from('1'), FRESH, undefined);
  sessions.put('a', Buffer.from('2'), FRESH, undefined);
  expect(sessions.get('a')?.session.toString()).toBe('2');
  expect(sessions.get('b')).toBeUndefined();
  sessions.forget('a');
  expect(sessions.get('a')).toBeUndefined();
});

test('TlsSessions: so many are kept, those used last', () => {
  const sessions = new TlsSessions(() => 0, 2);
  for (const key of ['a', 'b']) sessions.put(key, Buffer.from(key), FRESH, undefined);
  sessions.get('a');
  sessions.put('c', Buffer.from('c'), FRESH, undefined);
  expect(['a', 'b', 'c'].map((key) => sessions.get(key)?.session.toString())).toEqual(['a', undefined, 'c']);
});

test('TlsSessions: an hour after the full handshake a session is over, however often it was resumed', () => {
  let now = 0;
  const sessions = new TlsSessions(() => now);
  sessions.put('a', Buffer.from('1'), FRESH, undefined);
  now = HOUR_MS - 1;
  sessions.put('a', Buffer.from('2'), RESUMED, sessions.get('a'));
  expect(sessions.get('a')).toMatchObject({ verifiedAt: 0 });
  now = HOUR_MS;
  expect(sessions.get('a')).toBeUndefined();
});

test('TlsSessions: a session that was offered and not resumed does not make the new one older', () => {
  let now = 0;
  const sessions = new TlsSessions(() => now);
  sessions.put('a', Buffer.from('1'), FRESH, undefined);
  now = 1_000;
  sessions.put('a', Buffer.from('2'), FRESH, sessions.get('a'));
  expect(sessions.get('a')).toMatchObject({ verifiedAt: 1_000 });
});
