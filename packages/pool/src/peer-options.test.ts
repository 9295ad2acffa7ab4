import { DEFAULT_HTTP1_LIMITS } from '@cirque/http1';
import { expect, test } from 'vitest';
import { DEFAULT_PEER_OPTIONS, type PeerOptions, resolvePeerOptions } from './peer-options.ts';
import { ClientCertificate, TrustStore } from './pem.ts';

const CERTIFICATE = '-----BEGIN CERTIFICATE-----';
const PAIR = { cert: CERTIFICATE, key: '-----BEGIN EC PRIVATE KEY-----' };

/** For every option a value that differs from its default, and what it becomes. */
const GIVEN: {
  readonly [Name in keyof Required<PeerOptions>]: [given: unknown, resolved?: object | undefined, also?: PeerOptions];
} = {
  connectionTimeoutMs: [1],
  totalConnectionTimeoutMs: [2],
  readTimeoutMs: [3],
  writeTimeoutMs: [4],
  minSendRate: [8],
  idleTimeoutMs: [0],
  tcpKeepAlive: [{ idleMs: 30_000 }],
  tcpUserTimeoutMs: [30_000],
  tcpFastOpen: [true],
  dscp: [0],
  sendBufferBytes: [65_536],
  receiveBufferBytes: [65_536],
  bindTo: [{ address: '127.0.0.2' }, { bindTo: { address: '127.0.0.2', fallback: false } }],
  maxConnections: [5],
  maxPendingRequests: [0],
  groupKey: ['blue'],
  proxy: [{ nextHop: { host: 'proxy', port: 3128 }, headers: { 'Proxy-Authorization': 'Basic eA==' } }],
  customConnect: [() => Promise.reject(new Error('unused'))],
  proxyProtocol: [{ version: 1 }, { proxyProtocol: 'PROXY UNKNOWN\r\n' }],
  tracer: [{ onConnected: () => undefined }],
  limits: [{ maxFields: 7 }, { limits: { ...DEFAULT_HTTP1_LIMITS, maxFields: 7 } }],
  maxH2Streams: [1],
  h2PingIntervalMs: [9],
  h2PingTimeoutMs: [10],
  h2StreamWindowBytes: [11],
  h2ConnectionWindowBytes: [65_535],
  h2DowngradeMs: [0],
  tls: [true],
  sni: ['Origin.Example.', { sni: 'origin.example' }, { tls: true }],
  verifyCert: [false, undefined, { tls: true }],
  verifyHostname: [false, undefined, { tls: true }],
  alternativeCn: ['ORIGIN', { alternativeCn: 'origin' }, { tls: true }],
  ca: [CERTIFICATE, { ca: new TrustStore([CERTIFICATE]) }, { tls: true }],
  clientCert: [PAIR, { clientCert: new ClientCertificate(PAIR.cert, PAIR.key, undefined) }, { tls: true }],
  alpn: ['h2h1'],
  alpnProtocols: [['mine'], undefined, { tls: true }],
  minTlsVersion: ['TLSv1.3', undefined, { tls: true }],
  maxTlsVersion: ['TLSv1.2', undefined, { tls: true }],
  ciphers: ['ECDHE-RSA-AES128-GCM-SHA256', undefined, { tls: true }],
  curves: ['X25519', undefined, { tls: true }],
  sessionResumption: [false, undefined, { tls: true }],
  requestPolicy: [
    { stripHopByHop: false, upgrade: 'any' },
    { stripHopByHop: false, upgrade: 'any' },
  ],
};

test.each(Object.entries(GIVEN))(
  'resolvePeerOptions: %s alone changes itself and nothing else',
  (name, [given, resolved, also]) => {
    expect(resolvePeerOptions({ ...also, [name]: given })).toEqual({
      ...DEFAULT_PEER_OPTIONS,
      ...also,
      ...(resolved ?? { [name]: given }),
    });
  },
);

test('resolvePeerOptions: no options, and undefined ones, are the defaults', () => {
  expect(resolvePeerOptions({})).toEqual(DEFAULT_PEER_OPTIONS);
  const absent = Object.fromEntries(Object.keys(GIVEN).map((name) => [name, undefined]));
  expect(resolvePeerOptions(absent)).toEqual(DEFAULT_PEER_OPTIONS);
});

test('resolvePeerOptions: limits that say the default are the default', () => {
  expect(resolvePeerOptions({ limits: { maxFields: 200 } }).limits).toBe(DEFAULT_HTTP1_LIMITS);
});

test('resolvePeerOptions: what was given can be changed afterwards without effect', () => {
  const headers: Record<string, string> = { Via: 'a' };
  const bindTo = { address: '127.0.0.1' };
  const nextHop = { host: 'proxy', port: 3128 };
  const bound = resolvePeerOptions({ bindTo });
  const proxied = resolvePeerOptions({ proxy: { nextHop, headers } });
  bindTo.address = '127.0.0.9';
  nextHop.host = 'evil';
  headers.Via = 'b';
  expect(bound.bindTo?.address).toBe('127.0.0.1');
  expect(proxied.proxy).toEqual({ nextHop: { host: 'proxy', port: 3128 }, headers: { Via: 'a' } });
});

test('DEFAULT_PEER_OPTIONS cannot be changed', () => {
  expect(() => Object.assign(DEFAULT_PEER_OPTIONS, { readTimeoutMs: 1 })).toThrow(TypeError);
});

const WRONG: [options: unknown, error: typeof TypeError | typeof RangeError, message: string][] = [
  ['x', TypeError, 'peer options is "x": expected an object'],
  [{ timeout: 5 }, TypeError, 'peer option timeout is unknown: expected one of connectionTimeoutMs, '],
  [{ toString: 5 }, TypeError, 'peer option toString is unknown'],
  [{ stripHopByHop: false }, TypeError, 'peer option stripHopByHop is unknown'],
  [{ connectionTimeoutMs: -1 }, RangeError, 'peer option connectionTimeoutMs is -1: expected an integer of at least 0'],
  [{ totalConnectionTimeoutMs: 1.5 }, RangeError, 'peer option totalConnectionTimeoutMs is 1.5'],
  [{ readTimeoutMs: Number.NaN }, RangeError, 'peer option readTimeoutMs is NaN'],
  [{ writeTimeoutMs: '5' }, RangeError, 'peer option writeTimeoutMs is "5"'],
  [{ minSendRate: -1 }, RangeError, 'peer option minSendRate is -1: expected an integer of at least 0'],
  [{ idleTimeoutMs: null }, RangeError, 'peer option idleTimeoutMs is null'],
  [{ maxConnections: Number.POSITIVE_INFINITY }, RangeError, 'peer option maxConnections is Infinity'],
  [{ maxPendingRequests: -1 }, RangeError, 'peer option maxPendingRequests is -1'],
  [{ tcpKeepAlive: true }, TypeError, 'peer option tcpKeepAlive is true: expected an object'],
  [{ tcpKeepAlive: {} }, RangeError, 'peer option tcpKeepAlive.idleMs is undefined: expected an integer'],
  [{ tcpKeepAlive: { idleMs: 999 } }, RangeError, 'peer option tcpKeepAlive.idleMs is 999: expected from 1000 to 3276'],
  [
    { tcpKeepAlive: { idleMs: 1_000, intervalMs: 1 } },
    RangeError,
    'peer option tcpKeepAlive.intervalMs is 1: expected',
  ],
  [
    { tcpKeepAlive: { idleMs: 1_000, count: 0 } },
    RangeError,
    'peer option tcpKeepAlive.count is 0: expected from 1 to',
  ],
  [{ tcpKeepAlive: { time: 1 } }, TypeError, 'peer option tcpKeepAlive.time is unknown: expected one of idleMs'],
  [
    { tcpUserTimeoutMs: 2 ** 31 },
    RangeError,
    'peer option tcpUserTimeoutMs is 2147483648: expected from 0 to 2147483647',
  ],
  [{ tcpFastOpen: 1 }, TypeError, 'peer option tcpFastOpen is 1: expected true or false'],
  [{ dscp: 64 }, RangeError, 'peer option dscp is 64: expected from 0 to 63'],
  [{ sendBufferBytes: 0 }, RangeError, 'peer option sendBufferBytes is 0: expected from 1 to 1073741823'],
  [{ receiveBufferBytes: 2 ** 30 }, RangeError, 'peer option receiveBufferBytes is 1073741824: expected from 1 to'],
  [bindToPorts(5), TypeError, 'peer option bindTo.portRange is 5: expected an object'],
  [bindToPorts({ from: 0, to: 5 }), RangeError, 'peer option bindTo.portRange.from is 0: expected from 1 to 65535'],
  [bindToPorts({ from: 5, to: 4 }), RangeError, 'peer option bindTo.portRange.to is 4: expected from 5 to 65535'],
  [{ bindTo: '127.0.0.1' }, TypeError, 'peer option bindTo is "127.0.0.1": expected an object'],
  [{ bindTo: { address: 'eth0' } }, TypeError, 'peer option bindTo.address is "eth0": expected a local IP address'],
  [{ bindTo: { address: '127.0.0.1', fallback: 1 } }, TypeError, 'peer option bindTo.fallback is 1: expected true or'],
  [{ groupKey: 5 }, TypeError, 'peer option groupKey is 5: expected a string'],
  [{ proxy: null }, TypeError, 'peer option proxy is null: expected an object'],
  [{ proxy: { nextHop: 'proxy' } }, TypeError, 'peer option proxy.nextHop "proxy" is not valid: expected { host, port'],
  [{ proxy: { nextHop: { host: 'p', port: 0 } } }, TypeError, 'peer option proxy.nextHop {"host":"p","port":0} is not'],
  [proxyWith({ Host: 'x' }), TypeError, 'peer option proxy.headers.Host is not accepted'],
  [proxyWith({ 'content-length': '1' }), TypeError, 'peer option proxy.headers.content-length is not accepted'],
  [proxyWith({ Via: 5 }), TypeError, 'peer option proxy.headers.Via is 5: expected a string'],
  [proxyWith({ Via: 'a\r\nb: c' }), TypeError, 'peer option proxy.headers holds a field that cannot be sent'],
  [{ customConnect: {} }, TypeError, 'peer option customConnect is {}: expected a function'],
  [{ proxyProtocol: 2 }, TypeError, 'peer option proxyProtocol is 2: expected an object'],
  [
    { proxyProtocol: { version: 3 } },
    RangeError,
    'peer option proxyProtocol: a PROXY header has version 1 or 2, got 3',
  ],
  [{ proxyProtocol: { version: 2, from: 1 } }, TypeError, 'peer option proxyProtocol.from is unknown: expected one of'],
  [
    { proxyProtocol: { version: 1, source: { host: '::1', port: 1 } } },
    TypeError,
    'peer option proxyProtocol: a PROXY',
  ],
  [{ tls: 1 }, TypeError, 'peer option tls is 1: expected true or false'],
  [{ tls: {} }, TypeError, 'peer option tls is {}: expected true or false'],
  [{ tls: true, sni: 5 }, TypeError, 'peer option sni is 5: expected a host name in ASCII, or an IP address'],
  [{ tls: true, sni: 'a..b' }, TypeError, 'peer option sni is "a..b": expected a host name'],
  [
    { tls: true, sni: 'bücher.example' },
    TypeError,
    'peer option sni is "bücher.example": expected a host name in ASCII',
  ],
  [{ tls: true, sni: 'a:443' }, TypeError, 'peer option sni is "a:443": expected a host name'],
  [{ tls: true, sni: 'a'.repeat(254) }, TypeError, 'peer option sni is "aaa'],
  [{ tls: true, verifyCert: 'no' }, TypeError, 'peer option verifyCert is "no": expected true or false'],
  [{ tls: true, verifyHostname: 0 }, TypeError, 'peer option verifyHostname is 0: expected true or false'],
  [{ tls: true, alternativeCn: '' }, TypeError, 'peer option alternativeCn is "": expected a host name'],
  [
    { tls: true, ca: '/etc/ca.pem' },
    TypeError,
    "peer option ca is not PEM: expected text or bytes with '-----BEGIN CERT",
  ],
  [{ tls: true, ca: [] }, TypeError, 'peer option ca is an empty list: expected certificates in PEM'],
  [{ tls: true, ca: [CERTIFICATE, ''] }, TypeError, 'peer option ca is not PEM'],
  [
    { tls: true, clientCert: CERTIFICATE },
    TypeError,
    'peer option clientCert is "-----BEGIN CERTIFICATE-----": expected',
  ],
  [{ tls: true, clientCert: { cert: CERTIFICATE } }, TypeError, 'peer option clientCert.key is not PEM: expected text'],
  [{ tls: true, clientCert: { cert: 'x', key: PAIR.key } }, TypeError, 'peer option clientCert.cert is not PEM'],
  [{ tls: true, clientCert: { ...PAIR, passphrase: 5 } }, TypeError, 'peer option clientCert.passphrase is 5'],
  [{ tls: true, clientCert: { ...PAIR, pfx: 5 } }, TypeError, 'peer option clientCert.pfx is unknown'],
  [{ alpn: 'http/1.1' }, TypeError, 'peer option alpn is "http/1.1": expected one of h1, h2, h2h1'],
  [
    { tls: true, minTlsVersion: '1.2' },
    TypeError,
    'peer option minTlsVersion is "1.2": expected one of TLSv1, TLSv1.1',
  ],
  [{ tls: true, maxTlsVersion: 'SSLv3' }, TypeError, 'peer option maxTlsVersion is "SSLv3": expected one of TLSv1'],
  [
    { tls: true, minTlsVersion: 'TLSv1.3', maxTlsVersion: 'TLSv1.2' },
    RangeError,
    'peer option minTlsVersion is TLSv1.3: expected at most TLSv1.2',
  ],
  [{ tls: true, ciphers: '' }, TypeError, 'peer option ciphers is empty: expected names separated by colons'],
  [{ tls: true, curves: ['X25519'] }, TypeError, 'peer option curves is ["X25519"]: expected a string'],
  [
    { tls: true, alpnProtocols: ['a', ''] },
    TypeError,
    'peer option alpnProtocols is ["a",""]: expected a list of protocol names in ASCII',
  ],
  [{ tls: true, sessionResumption: 1 }, TypeError, 'peer option sessionResumption is 1: expected true or false'],
  [{ sni: 'x' }, TypeError, 'peer option sni is given without tls: expected tls: true as well'],
  [{ verifyCert: true }, TypeError, 'peer option verifyCert is given without tls: expected tls: true as well'],
  [{ tracer: 'yes' }, TypeError, 'peer option tracer is "yes": expected an object'],
  [{ tracer: { onConnected: 1 } }, TypeError, 'peer option tracer.onConnected is 1: expected a function'],
  [{ limits: [] }, TypeError, 'peer option limits is []: expected an object'],
  [{ limits: { maxFields: 0 } }, RangeError, 'limit maxFields is 0: expected an integer of at least 1'],
  [{ maxH2Streams: 0 }, RangeError, 'peer option maxH2Streams is 0: expected an integer of at least 1'],
  [{ h2PingIntervalMs: -1 }, RangeError, 'peer option h2PingIntervalMs is -1: expected an integer of at least 0'],
  [{ h2PingTimeoutMs: 0 }, RangeError, 'peer option h2PingTimeoutMs is 0: expected an integer of at least 1'],
  [{ h2StreamWindowBytes: 0 }, RangeError, 'peer option h2StreamWindowBytes is 0: expected from 1 to 2147483647'],
  [{ h2StreamWindowBytes: 2 ** 31 }, RangeError, 'peer option h2StreamWindowBytes is 2147483648: expected from 1 to'],
  [
    { h2ConnectionWindowBytes: 65_534 },
    RangeError,
    'peer option h2ConnectionWindowBytes is 65534: expected from 65535',
  ],
  [{ h2DowngradeMs: '5' }, RangeError, 'peer option h2DowngradeMs is "5": expected an integer of at least 0'],
  [{ requestPolicy: true }, TypeError, 'peer option requestPolicy is true: expected an object'],
  [{ requestPolicy: { strip: true } }, TypeError, 'peer option requestPolicy.strip is unknown: expected one of strip'],
  [{ requestPolicy: { stripHopByHop: 0 } }, TypeError, 'peer option requestPolicy.stripHopByHop is 0: expected true'],
  [
    withCustomConnect({ bindTo: { address: '::1' } }),
    TypeError,
    'peer option bindTo is given together with customConn',
  ],
  [withCustomConnect({ dscp: 1 }), TypeError, 'peer option dscp is given together with customConnect'],
  [
    withCustomConnect({ tcpKeepAlive: { idleMs: 1_000 } }),
    TypeError,
    'peer option tcpKeepAlive is given together with',
  ],
  [withCustomConnect({ proxy: { nextHop: { path: '/p' } } }), TypeError, 'peer option proxy is given together with'],
];

function proxyWith(headers: object): unknown {
  return { proxy: { nextHop: { path: '/run/proxy.sock' }, headers } };
}

function bindToPorts(portRange: unknown): object {
  return { bindTo: { address: '127.0.0.1', portRange } };
}

function withCustomConnect(more: PeerOptions): unknown {
  return { customConnect: () => Promise.reject(new Error('unused')), ...more };
}

test.each(WRONG)('resolvePeerOptions: refuses %j', (options, error, message) => {
  const resolve = (): unknown => resolvePeerOptions(options as PeerOptions);
  expect(resolve).toThrow(error);
  expect(resolve).toThrow(message);
});

test('resolvePeerOptions: every option has a case for a wrong value', () => {
  const covered = new Set(WRONG.flatMap(([options]) => Object.keys(options as object)));
  expect(Object.keys(GIVEN).filter((name) => !covered.has(name))).toEqual([]);
});

test('resolvePeerOptions: a wrong key is not shown', () => {
  const wrong = { tls: true, clientCert: { cert: CERTIFICATE, key: 'half of a secret' } };
  expect(() => resolvePeerOptions(wrong)).toThrow(/^(?!.*secret).*clientCert\.key is not PEM/);
});

test('resolvePeerOptions: tls: false switches the options of TLS off, but checks them', () => {
  const options: PeerOptions = { tls: false, sni: 'x', verifyCert: false, minTlsVersion: 'TLSv1.3' };
  expect(resolvePeerOptions(options)).toEqual(DEFAULT_PEER_OPTIONS);
  expect(() => resolvePeerOptions({ tls: false, sni: ':' })).toThrow('peer option sni is ":"');
});

test('resolvePeerOptions: an empty server name is none', () => {
  expect(resolvePeerOptions({ tls: true, sni: '' }).sni).toBeUndefined();
});

test('resolvePeerOptions: bytes of a certificate can be changed afterwards without effect', () => {
  const bytes = Buffer.from(CERTIFICATE);
  const { ca } = resolvePeerOptions({ tls: true, ca: bytes });
  bytes.fill(0);
  expect(ca?.certificates).toEqual([CERTIFICATE]);
});
