/**
 * An upstream to pass bytes to, and how to connect to it: what `upstreamPeer` of a TCP proxy answers.
 *
 * The options are those of a connection: what concerns HTTP or reuse is refused.
 */
import { HttpPeer, type Peer, type PeerOptions, type ResolvedPeerOptions } from '@cirque/pool';
import type { Address } from '@cirque/transport';

/** The options of {@link PeerOptions} that a connection has; `alpnProtocols` is empty by default. */
export type StreamPeerOptions = Pick<PeerOptions, (typeof STREAM_PEER_OPTIONS)[number]>;

/** The names of {@link StreamPeerOptions}. */
export const STREAM_PEER_OPTIONS = [
  'connectionTimeoutMs',
  'totalConnectionTimeoutMs',
  'proxyProtocol',
  'proxy',
  'customConnect',
  'tracer',
  'tcpKeepAlive',
  'tcpUserTimeoutMs',
  'tcpFastOpen',
  'dscp',
  'sendBufferBytes',
  'receiveBufferBytes',
  'bindTo',
  'tls',
  'sni',
  'verifyCert',
  'verifyHostname',
  'alternativeCn',
  'ca',
  'clientCert',
  'alpnProtocols',
  'minTlsVersion',
  'maxTlsVersion',
  'ciphers',
  'curves',
  'sessionResumption',
] as const satisfies readonly (keyof PeerOptions)[];

const KNOWN: ReadonlySet<string> = new Set(STREAM_PEER_OPTIONS);

/**
 * An upstream of TCP or of a unix socket. Immutable, so one object may serve for ever, or be made for every connection.
 *
 * Cheapest is an address object that is used again and again (a Backend), without options.
 *
 * @example new StreamPeer('127.0.0.1:5432', { connectionTimeoutMs: 400 })
 * @example new StreamPeer(backend, { proxyProtocol: proxyProtocolOf(session.digest) })
 */
export class StreamPeer implements Peer {
  readonly address: Address;
  readonly options: ResolvedPeerOptions;
  readonly reuseKey: string;

  /**
   * @param address text such as `127.0.0.1:5432` or `unix:/path`, or an object with `host` and `port`, or with `path` (a
   * Backend fits).
   * @throws TypeError or RangeError naming what is wrong.
   */
  constructor(address: Address | string, options?: StreamPeerOptions) {
    const peer = new HttpPeer(address, options === undefined ? undefined : checked(options));
    this.address = peer.address;
    this.options = peer.options;
    this.reuseKey = peer.reuseKey;
  }
}

function checked(options: StreamPeerOptions): PeerOptions {
  for (const name of Object.keys(options)) {
    if (KNOWN.has(name)) continue;
    throw new TypeError(`stream peer option ${name} is unknown: expected one of ${STREAM_PEER_OPTIONS.join(', ')}`);
  }
  // Whoever speaks no HTTP must not offer it: some servers refuse names that they do not know.
  return options.tls === true ? { alpnProtocols: [], ...options } : options;
}
