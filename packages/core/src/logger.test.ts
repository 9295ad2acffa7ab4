import { pino } from 'pino';
import { expect, expectTypeOf, test, vi } from 'vitest';
import { childLogger, type Logger, logLevelFromEnvironment, silentLogger } from './logger.ts';

test('Logger is a shape that pino has', () => {
  expectTypeOf(pino({ enabled: false })).toExtend<Logger>();
});

test('logLevelFromEnvironment: CIRQUE_LOG goes before LOG_LEVEL, empty counts as unset', () => {
  expect(logLevelFromEnvironment({})).toBeUndefined();
  expect(logLevelFromEnvironment({ LOG_LEVEL: 'warn' })).toBe('warn');
  expect(logLevelFromEnvironment({ LOG_LEVEL: 'warn', CIRQUE_LOG: 'DEBUG' })).toBe('debug');
  expect(logLevelFromEnvironment({ LOG_LEVEL: 'warn', CIRQUE_LOG: '' })).toBe('warn');
});

test('logLevelFromEnvironment names a wrong value and the right ones', () => {
  expect(() => logLevelFromEnvironment({ CIRQUE_LOG: 'loud' })).toThrow(
    new RangeError(
      'environment variable CIRQUE_LOG must be one of trace, debug, info, warn, error, fatal, silent, got "loud"',
    ),
  );
});

test('childLogger uses children where the logger has them', () => {
  const child = vi.fn(() => silentLogger);
  expect(childLogger({ ...silentLogger, child }, { service: 'a' })).toBe(silentLogger);
  expect(child).toHaveBeenCalledWith({ service: 'a' });
  expect(childLogger(silentLogger, {})).toBe(silentLogger);
});
