/**
 * What makes two peers interchangeable for a pooled connection: everything that decides who is at the other end, and
 * what a connection cannot change once it is made.
 *
 * The whole text is the key, not a hash of it: two peers can never collide.
 */
import { type Address, formatAddress } from '@cirque/transport';
import { DEFAULT_PEER_OPTIONS, type ResolvedPeerOptions } from './peer-options.ts';

/**
 * How an option counts for the identity of a connection:
 * - `value`: two equal values are the same;
 * - `object`: only the same function or object is the same;
 * - `none`: it governs one use of a connection.
 */
export type Identity = 'value' | 'object' | 'none';

/**
 * The answer for every option; a test demands one for each new option.
 *
 * Times, caps and policies govern a use. Limits count, because the decoder of a connection keeps those it was made with:
 * a peer with stricter ones must not be served by a connection of a laxer one. How a connection was opened (fast open)
 * is over when it is open.
 */
export const IDENTITY: { readonly [Option in keyof ResolvedPeerOptions]: Identity } = {
  connectionTimeoutMs: 'none',
  totalConnectionTimeoutMs: 'none',
  readTimeoutMs: 'none',
  writeTimeoutMs: 'none',
  minSendRate: 'none',
  idleTimeoutMs: 'none',
  maxConnections: 'none',
  maxPendingRequests: 'none',
  tcpKeepAlive: 'value',
  tcpUserTimeoutMs: 'value',
  tcpFastOpen: 'none',
  dscp: 'value',
  sendBufferBytes: 'value',
  receiveBufferBytes: 'value',
  bindTo: 'value',
  groupKey: 'value',
  proxy: 'value',
  customConnect: 'object',
  proxyProtocol: 'value',
  tracer: 'object',
  limits: 'value',
  maxH2Streams: 'value',
  h2PingIntervalMs: 'value',
  h2PingTimeoutMs: 'value',
  h2StreamWindowBytes: 'value',
  h2ConnectionWindowBytes: 'value',
  h2DowngradeMs: 'none',
  tls: 'value',
  sni: 'value',
  verifyCert: 'value',
  verifyHostname: 'value',
  alternativeCn: 'value',
  ca: 'value',
  clientCert: 'value',
  alpn: 'value',
  alpnProtocols: 'value',
  minTlsVersion: 'value',
  maxTlsVersion: 'value',
  ciphers: 'value',
  curves: 'value',
  sessionResumption: 'value',
  stripHopByHop: 'none',
  stripConnectionNominated: 'none',
  upgrade: 'none',
};

/** What counts, with the default beside it: keys are made per request. */
const COUNTING = (Object.keys(IDENTITY) as (keyof ResolvedPeerOptions)[])
  .filter((name) => IDENTITY[name] !== 'none')
  .map((name) => ({ name, fallback: DEFAULT_PEER_OPTIONS[name] }));

/** The key of a peer: its address alone, or a list of it and the identity options that differ from the default. */
export function reuseKey(address: Address, options: ResolvedPeerOptions): string {
  const where = formatAddress(address);
  let parts: unknown[] | undefined;
  for (const { name, fallback } of COUNTING) {
    const value = options[name];
    if (value === fallback) continue;
    parts ??= [where];
    parts.push(name, IDENTITY[name] === 'object' ? numberOf(value as object) : value);
  }
  return parts === undefined ? where : JSON.stringify(parts);
}

const numbers = new WeakMap<object, number>();
let lastNumber = 0;

function numberOf(object: object): number {
  let number = numbers.get(object);
  if (number === undefined) {
    number = ++lastNumber;
    numbers.set(object, number);
  }
  return number;
}
