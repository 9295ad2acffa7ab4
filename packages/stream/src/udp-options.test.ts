import { expect, test } from 'vitest';
import { resolveUdpOptions, type UdpOptions } from './udp-options.ts';

test('resolveUdpOptions fills in the defaults', () => {
  expect(resolveUdpOptions({})).toEqual({
    idleTimeoutMs: 60_000,
    responses: 0,
    maxSessions: 65_536,
    maxSessionsPerClient: 0,
    maxQueuedBytes: 262_144,
    maxTotalQueuedBytes: 67_108_864,
    maxRetries: 16,
    hookTimeoutMs: 60_000,
    sessionSockets: 'auto',
    clientBindToIpv4: [],
    clientBindToIpv6: [],
  });
});

test.each([
  [{ idleTimeoutMs: 0 }, 'UDP option idleTimeoutMs is 0: expected an integer of at least 1'],
  [{ responses: -1 }, 'UDP option responses is -1: expected an integer of at least 0'],
  [{ maxSessions: 0 }, 'UDP option maxSessions is 0: expected an integer of at least 1'],
  [{ maxQueuedBytes: 1.5 }, 'UDP option maxQueuedBytes is 1.5: expected an integer of at least 0'],
  [{ sessionSockets: 'always' }, `UDP option sessionSockets is "always": expected 'auto' or 'never'`],
  [{ idleTimeout: 5 }, 'UDP option idleTimeout is unknown: expected one of idleTimeoutMs, responses,'],
  [{ clientBindToIpv4: ['::1'] }, 'UDP option clientBindToIpv4 has "::1": expected a list of IPv4 addresses'],
  [{ clientBindToIpv6: '::1' }, 'UDP option clientBindToIpv6 has "::1": expected a list of IPv6 addresses'],
] as const)('resolveUdpOptions refuses %j', (options, message) => {
  expect(() => resolveUdpOptions(options as UdpOptions)).toThrow(message);
});
