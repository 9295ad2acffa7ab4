import fc from 'fast-check';
import { expect, test } from 'vitest';
import { HttpPeer } from './peer.ts';
import { DEFAULT_PEER_OPTIONS, type PeerOptions, type ResolvedPeerOptions } from './peer-options.ts';
import { IDENTITY } from './reuse-key.ts';

const connectA = (): Promise<never> => Promise.reject(new Error('unused'));
const connectB = (): Promise<never> => Promise.reject(new Error('unused'));

/**
 * For every option two settings, and the answer to: do connections serve both? A new option fails to compile here, and
 * has to be answered by hand, not by looking it up.
 */
const OPTIONS: {
  readonly [Option in keyof ResolvedPeerOptions]: [one: PeerOptions, other: PeerOptions, shared: 'shared' | 'apart'];
} = {
  connectionTimeoutMs: [{ connectionTimeoutMs: 1 }, { connectionTimeoutMs: 2 }, 'shared'],
  totalConnectionTimeoutMs: [{ totalConnectionTimeoutMs: 1 }, { totalConnectionTimeoutMs: 2 }, 'shared'],
  readTimeoutMs: [{ readTimeoutMs: 1 }, { readTimeoutMs: 2 }, 'shared'],
  writeTimeoutMs: [{ writeTimeoutMs: 1 }, { writeTimeoutMs: 2 }, 'shared'],
  minSendRate: [{ minSendRate: 1 }, { minSendRate: 2 }, 'shared'],
  idleTimeoutMs: [{ idleTimeoutMs: 1 }, { idleTimeoutMs: 2 }, 'shared'],
  maxConnections: [{ maxConnections: 1 }, { maxConnections: 2 }, 'shared'],
  maxPendingRequests: [{ maxPendingRequests: 1 }, { maxPendingRequests: 2 }, 'shared'],
  tcpKeepAlive: [{ tcpKeepAlive: { idleMs: 1 } }, { tcpKeepAlive: { idleMs: 2 } }, 'apart'],
  bindTo: [{ bindTo: { address: '127.0.0.1' } }, { bindTo: { address: '127.0.0.2' } }, 'apart'],
  groupKey: [{ groupKey: 'a' }, { groupKey: 'b' }, 'apart'],
  proxy: [{ proxy: { nextHop: { path: '/a' } } }, { proxy: { nextHop: { path: '/b' } } }, 'apart'],
  customConnect: [{ customConnect: connectA }, { customConnect: connectB }, 'apart'],
  tracer: [{ tracer: {} }, { tracer: {} }, 'apart'],
  limits: [{ limits: { maxFields: 1 } }, { limits: { maxFields: 2 } }, 'apart'],
  maxH2Streams: [{ maxH2Streams: 1 }, { maxH2Streams: 2 }, 'apart'],
  h2PingIntervalMs: [{ h2PingIntervalMs: 1 }, { h2PingIntervalMs: 2 }, 'apart'],
  h2PingTimeoutMs: [{ h2PingTimeoutMs: 1 }, { h2PingTimeoutMs: 2 }, 'apart'],
  h2StreamWindowBytes: [{ h2StreamWindowBytes: 1 }, { h2StreamWindowBytes: 2 }, 'apart'],
  h2ConnectionWindowBytes: [{ h2ConnectionWindowBytes: 70_000 }, { h2ConnectionWindowBytes: 80_000 }, 'apart'],
  h2DowngradeMs: [{ h2DowngradeMs: 1 }, { h2DowngradeMs: 2 }, 'shared'],
  stripHopByHop: [{ requestPolicy: { stripHopByHop: false } }, {}, 'shared'],
  stripConnectionNominated: [{ requestPolicy: { stripConnectionNominated: false } }, {}, 'shared'],
  upgrade: [{ requestPolicy: { upgrade: 'any' } }, { requestPolicy: { upgrade: 'deny' } }, 'shared'],
};

test('IDENTITY: has an answer for every option, and no other', () => {
  expect(Object.keys(IDENTITY).sort()).toEqual(Object.keys(DEFAULT_PEER_OPTIONS).sort());
});

test.each(Object.entries(OPTIONS))('reuseKey: peers that differ in %s', (name, [one, other, shared]) => {
  const keys = [new HttpPeer('a:1', one), new HttpPeer('a:1', other), new HttpPeer('a:1')].map((peer) => peer.reuseKey);
  expect(new Set(keys).size).toBe(shared === 'shared' ? 1 : 3);
  expect(IDENTITY[name as keyof ResolvedPeerOptions] === 'none').toBe(shared === 'shared');
  expect(new HttpPeer('a:1', one).reuseKey).toBe(keys[0]);
});

test.each([
  ['host', 'a:1', 'b:1'],
  ['port', 'a:1', 'a:2'],
  ['path', 'unix:/a', 'unix:/b'],
])('reuseKey: peers that differ in %s', (_, one, other) => {
  expect(new HttpPeer(one).reuseKey).not.toBe(new HttpPeer(other).reuseKey);
});

test('reuseKey: parts of values count', () => {
  const nextHop = { path: '/p' };
  const options: PeerOptions[] = [
    { proxy: { nextHop } },
    { proxy: { nextHop, headers: { 'Proxy-Authorization': 'a' } } },
    { proxy: { nextHop, headers: { 'Proxy-Authorization': 'b' } } },
    { bindTo: { address: '127.0.0.1' } },
    { bindTo: { address: '127.0.0.1', fallback: true } },
  ];
  expect(new Set(options.map((one) => new HttpPeer('a:1', one).reuseKey)).size).toBe(options.length);
});

test('reuseKey: order and absence of parts do not count', () => {
  const one = new HttpPeer('a:1', { groupKey: 'g', bindTo: { address: '127.0.0.1', fallback: false } });
  const other = new HttpPeer('a:1', { bindTo: { fallback: false, address: '127.0.0.1' }, groupKey: 'g' });
  const third = new HttpPeer('a:1', { bindTo: { address: '127.0.0.1' }, groupKey: 'g' });
  expect(other.reuseKey).toBe(one.reuseKey);
  expect(third.reuseKey).toBe(one.reuseKey);
});

test('reuseKey: no group key can imitate another peer', () => {
  const parts = fc.string({ maxLength: 40 });
  const hostile = fc.constantFrom('', '"', '","tracer",1', 'a:1', '["a:1","groupKey","x"]', '\\');
  fc.assert(
    fc.property(fc.oneof(parts, hostile), fc.oneof(parts, hostile), (left, right) => {
      const same =
        new HttpPeer('a:1', { groupKey: left }).reuseKey === new HttpPeer('a:1', { groupKey: right }).reuseKey;
      expect(same).toBe(left === right);
      expect(new HttpPeer('a:1', { groupKey: left }).reuseKey).not.toBe(new HttpPeer('a:1').reuseKey);
    }),
  );
});
