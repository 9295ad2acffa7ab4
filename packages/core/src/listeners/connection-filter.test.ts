import { FakeClock } from '@cirque/testing';
import { TimerWheel } from '@cirque/timeout';
import { expect, test } from 'vitest';
import { askFilter, connectionFilter } from './connection-filter.ts';

const ADDRESS = { host: '192.0.2.1', port: 5 };

test('connectionFilter takes an object and a function', () => {
  const object = { shouldAccept: () => true };
  expect(connectionFilter(object)).toBe(object);
  expect(connectionFilter((address) => address?.port === 5).shouldAccept(ADDRESS)).toBe(true);
  expect(() => connectionFilter({} as never)).toThrow(TypeError);
  expect(() => connectionFilter(undefined as never)).toThrow(TypeError);
});

test('askFilter answers synchronously when the filter does', async () => {
  expect(askFilter({ shouldAccept: () => false }, ADDRESS)).toBe(false);
  const later = askFilter({ shouldAccept: async () => true }, ADDRESS);
  expect(later).toBeInstanceOf(Promise);
  expect(await later).toBe(true);
});

test('askFilter passes on what the filter rejects with', async () => {
  await expect(askFilter({ shouldAccept: () => Promise.reject(new Error('no')) }, ADDRESS)).rejects.toThrow('no');
});

test('askFilter gives up on a filter that does not decide', async () => {
  const clock = new FakeClock();
  const wheel = new TimerWheel({ clock });
  clock.onAdvance(() => wheel.advance());
  const verdict = askFilter({ shouldAccept: () => new Promise<boolean>(() => {}) }, ADDRESS, wheel);
  const refused = expect(verdict).rejects.toThrow('did not decide within 10000 ms');
  clock.advance(9_990, 10);
  expect(wheel.size).toBe(1);
  clock.advance(100, 10);
  await refused;
  expect(wheel.size).toBe(0);
});
