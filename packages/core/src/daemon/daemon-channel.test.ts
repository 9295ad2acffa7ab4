import { expect, test } from 'vitest';
import { type DaemonMessage, MessageReader, messageLine } from './daemon-channel.ts';

const MESSAGES: readonly DaemonMessage[] = [
  { event: 'started' },
  { event: 'ready', pid: 4711 },
  { event: 'failed', sentence: 'no\nroom for "it"' },
];

test('MessageReader reads what messageLine writes, however it is cut', () => {
  const text = MESSAGES.map((message) => messageLine('t', message)).join('');
  expect(new MessageReader('t').push(text)).toEqual(MESSAGES);
  const reader = new MessageReader('t');
  const parts = [...text].flatMap((character) => [...reader.push(character)]);
  expect(parts).toEqual(MESSAGES);
});

test.each([
  ['of somebody else', messageLine('other', { event: 'ready', pid: 4711 })],
  ['that is no JSON', 'Debugger attached.\n'],
  ['that is no object', 'null\n'],
  ['of an unknown kind', '{"token":"t","event":"finished"}\n'],
])('MessageReader leaves out a line %s', (_what, line) => {
  expect(new MessageReader('t').push(line + messageLine('t', { event: 'started' }))).toEqual([{ event: 'started' }]);
});

test('MessageReader does not keep an endless line', () => {
  const reader = new MessageReader('t');
  for (let part = 0; part < 100; part += 1) reader.push('x'.repeat(1_000));
  expect(reader.push(`\n${messageLine('t', { event: 'started' })}`)).toEqual([{ event: 'started' }]);
});

test('messageLine cuts a long sentence, so that no write has to wait', () => {
  const line = messageLine('t', { event: 'failed', sentence: 'x'.repeat(100_000) });
  expect(line.length).toBeLessThan(4_096);
  expect(new MessageReader('t').push(line)).toHaveLength(1);
});
