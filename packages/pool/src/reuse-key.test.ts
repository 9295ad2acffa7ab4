import fc from 'fast-check';
import { expect, test } from 'vitest';
import { HttpPeer } from './peer.ts';
import { DEFAULT_PEER_OPTIONS, type PeerOptions, type ResolvedPeerOptions } from './peer-options.ts';
import { IDENTITY } from './reuse-key.ts';

const connectA = (): Promise<never> => Promise.reject(new Error('unused'));
const connectB = (): Promise<never> => Promise.reject(new Error('unused'));

const CERTIFICATE = '-----BEGIN CERTIFICATE-----';
const KEY = '-----BEGIN PRIVATE KEY-----';

function from(host: string): NonNullable<PeerOptions['proxyProtocol']> {
  return { version: 2, source: { host, port: 1 }, destination: { host: '192.0.2.9', port: 2 } };
}

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
  tcpKeepAlive: [{ tcpKeepAlive: { idleMs: 1_000 } }, { tcpKeepAlive: { idleMs: 2_000 } }, 'apart'],
  tcpUserTimeoutMs: [{ tcpUserTimeoutMs: 1 }, { tcpUserTimeoutMs: 2 }, 'apart'],
  tcpFastOpen: [{ tcpFastOpen: true }, { tcpFastOpen: false }, 'shared'],
  dscp: [{ dscp: 1 }, { dscp: 2 }, 'apart'],
  sendBufferBytes: [{ sendBufferBytes: 1 }, { sendBufferBytes: 2 }, 'apart'],
  receiveBufferBytes: [{ receiveBufferBytes: 1 }, { receiveBufferBytes: 2 }, 'apart'],
  bindTo: [{ bindTo: { address: '127.0.0.1' } }, { bindTo: { address: '127.0.0.2' } }, 'apart'],
  groupKey: [{ groupKey: 'a' }, { groupKey: 'b' }, 'apart'],
  proxy: [{ proxy: { nextHop: { path: '/a' } } }, { proxy: { nextHop: { path: '/b' } } }, 'apart'],
  customConnect: [{ customConnect: connectA }, { customConnect: connectB }, 'apart'],
  proxyProtocol: [{ proxyProtocol: from('192.0.2.1') }, { proxyProtocol: from('192.0.2.2') }, 'apart'],
  tracer: [{ tracer: {} }, { tracer: {} }, 'apart'],
  limits: [{ limits: { maxFields: 1 } }, { limits: { maxFields: 2 } }, 'apart'],
  maxH2Streams: [{ maxH2Streams: 1 }, { maxH2Streams: 2 }, 'apart'],
  h2PingIntervalMs: [{ h2PingIntervalMs: 1 }, { h2PingIntervalMs: 2 }, 'apart'],
  h2PingTimeoutMs: [{ h2PingTimeoutMs: 1 }, { h2PingTimeoutMs: 2 }, 'apart'],
  h2StreamWindowBytes: [{ h2StreamWindowBytes: 1 }, { h2StreamWindowBytes: 2 }, 'apart'],
  h2ConnectionWindowBytes: [{ h2ConnectionWindowBytes: 70_000 }, { h2ConnectionWindowBytes: 80_000 }, 'apart'],
  h2DowngradeMs: [{ h2DowngradeMs: 1 }, { h2DowngradeMs: 2 }, 'shared'],
  tls: [{ tls: true }, { tls: true, sni: 'x' }, 'apart'],
  sni: [{ tls: true, sni: 'x' }, { tls: true, sni: 'y' }, 'apart'],
  verifyCert: [{ tls: true, verifyCert: false }, { tls: true }, 'apart'],
  verifyHostname: [{ tls: true, verifyHostname: false }, { tls: true }, 'apart'],
  alternativeCn: [{ tls: true, alternativeCn: 'x' }, { tls: true, alternativeCn: 'y' }, 'apart'],
  ca: [{ tls: true, ca: `${CERTIFICATE}1` }, { tls: true, ca: `${CERTIFICATE}2` }, 'apart'],
  clientCert: [
    { tls: true, clientCert: { cert: CERTIFICATE, key: `${KEY}1` } },
    { tls: true, clientCert: { cert: CERTIFICATE, key: `${KEY}2` } },
    'apart',
  ],
  alpn: [{ alpn: 'h2' }, { alpn: 'h2h1' }, 'apart'],
  alpnProtocols: [{ tls: true, alpnProtocols: ['a'] }, { tls: true, alpnProtocols: [] }, 'apart'],
  minTlsVersion: [{ tls: true, minTlsVersion: 'TLSv1.1' }, { tls: true, minTlsVersion: 'TLSv1.3' }, 'apart'],
  maxTlsVersion: [{ tls: true, maxTlsVersion: 'TLSv1.2' }, { tls: true }, 'apart'],
  ciphers: [{ tls: true, ciphers: 'a' }, { tls: true, ciphers: 'b' }, 'apart'],
  curves: [{ tls: true, curves: 'a' }, { tls: true, curves: 'b' }, 'apart'],
  sessionResumption: [{ tls: true, sessionResumption: false }, { tls: true }, 'apart'],
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
    { bindTo: { address: '127.0.0.1', portRange: { from: 1, to: 2 } } },
    { bindTo: { address: '127.0.0.1', portRange: { from: 1, to: 3 } } },
    { tcpKeepAlive: { idleMs: 1_000 } },
    { tcpKeepAlive: { idleMs: 1_000, intervalMs: 2_000 } },
    { tcpKeepAlive: { idleMs: 1_000, count: 2 } },
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

test('reuseKey: equal certificates are equal, however they are given, and no key holds their text', () => {
  const pair = { cert: `${CERTIFICATE}secret-a`, key: `${KEY}secret-b` };
  const text = new HttpPeer('a:1', { tls: true, ca: `${CERTIFICATE}secret-c`, clientCert: pair });
  const bytes = new HttpPeer('a:1', {
    tls: true,
    ca: [Buffer.from(`${CERTIFICATE}secret-c`)],
    clientCert: { cert: Buffer.from(pair.cert), key: Buffer.from(pair.key) },
  });
  expect(bytes.reuseKey).toBe(text.reuseKey);
  expect(text.reuseKey).not.toContain('secret');
});

test('reuseKey: every part of a client certificate counts', () => {
  const parts = [
    { cert: `${CERTIFICATE}a`, key: KEY },
    { cert: `${CERTIFICATE}b`, key: KEY },
    { cert: `${CERTIFICATE}a`, key: `${KEY}2` },
    { cert: `${CERTIFICATE}a`, key: KEY, passphrase: 'p' },
    { cert: `${CERTIFICATE}a`, key: KEY, passphrase: 'q' },
  ];
  const keys = parts.map((clientCert) => new HttpPeer('a:1', { tls: true, clientCert }).reuseKey);
  expect(new Set(keys).size).toBe(parts.length);
});

test('reuseKey: spellings of one server name are the same', () => {
  const [one, other] = ['Origin.Example.', 'origin.example'].map((sni) => new HttpPeer('a:1', { tls: true, sni }));
  expect(one?.reuseKey).toBe(other?.reuseKey);
});

test('reuseKey: what tls: false switches off does not count', () => {
  const off = new HttpPeer('a:1', { tls: false, sni: 'x', verifyCert: false, ca: CERTIFICATE });
  expect(off.reuseKey).toBe(new HttpPeer('a:1').reuseKey);
});
