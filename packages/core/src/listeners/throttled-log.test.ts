import { FakeClock } from '@cirque/testing';
import { expect, test, vi } from 'vitest';
import { silentLogger } from '../logger.ts';
import { ThrottledLog } from './throttled-log.ts';

test('ThrottledLog writes one line a second and tells how many it kept back', () => {
  const warn = vi.fn();
  const clock = new FakeClock();
  const log = new ThrottledLog({ ...silentLogger, warn }, clock);
  for (let event = 0; event < 5; event += 1) log.warn({ event }, 'again');
  clock.advance(999);
  log.warn({ event: 5 }, 'again');
  clock.advance(1);
  log.warn({ event: 6 }, 'again');
  expect(warn.mock.calls).toEqual([
    [{ event: 0, unlogged: 0 }, 'again'],
    [{ event: 6, unlogged: 5 }, 'again'],
  ]);
});

test('ThrottledLog.error writes errors, as often', () => {
  const error = vi.fn();
  const log = new ThrottledLog({ ...silentLogger, error }, new FakeClock());
  for (let event = 0; event < 2; event += 1) log.error({ event }, 'again');
  expect(error.mock.calls).toEqual([[{ event: 0, unlogged: 0 }, 'again']]);
});
