import { expect, test } from 'vitest';
import { socketPlan } from './socket-plan.ts';

const options = { maxSessions: 65_536, sessionSockets: 'auto' } as const;

test('socketPlan leaves a quarter of the descriptors free', () => {
  expect(socketPlan(options, 1, 1_024, 'linux')).toEqual({
    maxSessions: 768,
    maxSockets: 768,
    ownSockets: true,
    ownSocketFrom: 2,
  });
  expect(socketPlan(options, 1, 1_048_576, 'linux').maxSessions).toBe(65_536);
});

test('socketPlan shares out among threads', () => {
  expect(socketPlan(options, 4, 1_024, 'linux')).toMatchObject({ maxSessions: 192, maxSockets: 192, ownSocketFrom: 1 });
  expect(socketPlan({ ...options, maxSessions: 10 }, 4, 1_024, 'linux').maxSessions).toBe(3);
});

test('socketPlan knows where the number of descriptors is not known', () => {
  expect(socketPlan(options, 1, undefined, 'win32').maxSessions).toBeGreaterThan(0);
});

test('socketPlan gives clients sockets of their own on Linux only', () => {
  expect(socketPlan(options, 1, 1_024, 'darwin').ownSockets).toBe(false);
  expect(socketPlan({ ...options, sessionSockets: 'never' }, 1, 1_024, 'linux').ownSockets).toBe(false);
});
