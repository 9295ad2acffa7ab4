/**
 * An upstream to pass bytes to, and how to connect to it: what `upstreamPeer` of a TCP proxy answers.
 *
 * The options are those of a connection: what concerns HTTP or reuse is refused.
 */
import { type Http2PeerOptions, HttpPeer, type Peer, type PeerOptions, type ResolvedPeerOptions } from '@cirque/pool';
import type { Address } from '@cirque/transport';

/** What concerns messages of HTTP, or connections that are used again. */
type NotOfStreams =
  | 'readTimeoutMs'
  | 'writeTimeoutMs'
  | 'minSendRate'
  | 'idleTimeoutMs'
  | 'maxConnections'
  | 'maxPendingRequests'
  | 'groupKey'
  | 'limits'
  | 'requestPolicy'
  | 'alpn'
  | keyof Http2PeerOptions;

/** The options of {@link PeerOptions} that a connection has; `alpnProtocols` is empty by default. */
export type StreamPeerOptions = Omit<PeerOptions, NotOfStreams>;

/** A new option of peers has to be answered here, or above. */
const KNOWN: Readonly<Record<keyof StreamPeerOptions, true>> = {
  connectionTimeoutMs: true,
  totalConnectionTimeoutMs: true,
  proxyProtocol: true,
  proxy: true,
  customConnect: true,
  tracer: true,
  tcpKeepAlive: true,
  tcpUserTimeoutMs: true,
  tcpFastOpen: true,
  dscp: true,
  sendBufferBytes: true,
  receiveBufferBytes: true,
  bindTo: true,
  tls: true,
  sni: true,
  verifyCert: true,
  verifyHostname: true,
  alternativeCn: true,
  ca: true,
  clientCert: true,
  alpnProtocols: true,
  minTlsVersion: true,
  maxTlsVersion: true,
  ciphers: true,
  curves: true,
  sessionResumption: true,
};

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
    if (Object.hasOwn(KNOWN, name)) continue;
    throw new TypeError(`stream peer option ${name} is unknown: expected one of ${Object.keys(KNOWN).join(', ')}`);
  }
  // Whoever speaks no HTTP must not offer it: some servers refuse names that they do not know.
  return options.tls === true ? { alpnProtocols: [], ...options } : options;
}
