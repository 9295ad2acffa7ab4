import { describe, expect, test } from 'vitest';
import { MAX_SOCKETS, upgradeMessage } from './upgrade-message.ts';

const entry = { service: 'web', kind: 'tcp', address: '127.0.0.1:0', bound: '127.0.0.1:4000' };

describe('upgradeMessage', () => {
  test.each([
    { type: 'hello', protocol: 7, version: '1', pid: 1, native: false },
    {
      type: 'table',
      sockets: [entry, { ...entry, kind: 'unix', address: 'unix:/a', bound: 'unix:/a', activated: true }],
      state: {},
    },
    { type: 'descriptors', count: 128 },
    { type: 'ready' },
    { type: 'confirmed' },
    { type: 'respawning', timeoutMs: 1 },
    { type: 'takenOver', pid: 1 },
    { type: 'refuse', reason: 'no' },
  ])('upgradeMessage takes $type', (message) => expect(upgradeMessage(message)).toBe(message));

  test.each([null, 1, 'ready', [], {}, { type: 'toString' }, { type: 'greet' }])(
    'upgradeMessage refuses %j',
    (value) => {
      expect(() => upgradeMessage(value)).toThrow('no message of a known type');
    },
  );

  test.each([
    { type: 'hello', protocol: '1', version: '1', pid: 1, native: false },
    { type: 'hello', protocol: 1, version: '1', pid: -1, native: false },
    { type: 'table', sockets: {}, state: {} },
    { type: 'table', sockets: [], state: [] },
    { type: 'table', sockets: [{ ...entry, kind: 'raw' }], state: {} },
    { type: 'table', sockets: [{ ...entry, bound: 'nowhere' }], state: {} },
    { type: 'table', sockets: [{ ...entry, service: 'x'.repeat(4_097) }], state: {} },
    { type: 'table', sockets: [{ ...entry, activated: 1 }], state: {} },
    { type: 'table', sockets: Array.from({ length: MAX_SOCKETS + 1 }, () => entry), state: {} },
    { type: 'descriptors', count: 129 },
    { type: 'takenOver' },
    { type: 'refuse', reason: 1 },
  ])('upgradeMessage refuses a $type that is not valid', (message) => {
    expect(() => upgradeMessage(message)).toThrow(`not valid (${message.type})`);
  });
});
