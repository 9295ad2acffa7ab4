import { DEFAULT_HTTP1_LIMITS } from '@cirque/http1';
import { expect, test } from 'vitest';
import { DEFAULT_PEER_OPTIONS, type PeerOptions, resolvePeerOptions } from './peer-options.ts';

/** For every option a value that differs from its default, and what it becomes. */
const GIVEN: { readonly [Name in keyof Required<PeerOptions>]: [given: unknown, resolved?: object] } = {
  connectionTimeoutMs: [1],
  totalConnectionTimeoutMs: [2],
  readTimeoutMs: [3],
  writeTimeoutMs: [4],
  minSendRate: [8],
  idleTimeoutMs: [0],
  tcpKeepAlive: [{ idleMs: 30_000 }],
  bindTo: [{ address: '127.0.0.2' }, { bindTo: { address: '127.0.0.2', fallback: false } }],
  maxConnections: [5],
  maxPendingRequests: [0],
  groupKey: ['blue'],
  proxy: [{ nextHop: { host: 'proxy', port: 3128 }, headers: { 'Proxy-Authorization': 'Basic eA==' } }],
  customConnect: [() => Promise.reject(new Error('unused'))],
  tracer: [{ onConnected: () => undefined }],
  limits: [{ maxFields: 7 }, { limits: { ...DEFAULT_HTTP1_LIMITS, maxFields: 7 } }],
  maxH2Streams: [1],
  h2PingIntervalMs: [9],
  h2PingTimeoutMs: [10],
  h2StreamWindowBytes: [11],
  h2ConnectionWindowBytes: [65_535],
  h2DowngradeMs: [0],
  requestPolicy: [
    { stripHopByHop: false, upgrade: 'any' },
    { stripHopByHop: false, upgrade: 'any' },
  ],
};

test.each(Object.entries(GIVEN))(
  'resolvePeerOptions: %s alone changes itself and nothing else',
  (name, [given, resolved]) => {
    expect(resolvePeerOptions({ [name]: given })).toEqual({
      ...DEFAULT_PEER_OPTIONS,
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
  [{ tcpKeepAlive: { idleMs: 1, count: 3 } }, TypeError, 'peer option tcpKeepAlive.count is unknown: expected idleMs'],
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
  [withCustomConnect({ tcpKeepAlive: { idleMs: 1 } }), TypeError, 'peer option tcpKeepAlive is given together with'],
  [withCustomConnect({ proxy: { nextHop: { path: '/p' } } }), TypeError, 'peer option proxy is given together with'],
];

function proxyWith(headers: object): unknown {
  return { proxy: { nextHop: { path: '/run/proxy.sock' }, headers } };
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
