/**
 * Options with the defaults they really have. The words are here, the values come from the packages; an option without
 * words does not compile.
 */
import {
  DEFAULT_HTTP2_SERVER_OPTIONS,
  type Http2ServerOptions,
  type ResolvedHttpServerOptions,
  resolveHttpServerOptions,
} from '@cirque/core';
import { DEFAULT_HTTP1_LIMITS, type Http1Limits } from '@cirque/http1';
import { DEFAULT_PEER_OPTIONS, type PeerOptions } from '@cirque/pool';

type Words<Name extends PropertyKey> = Readonly<Record<Name, string>>;

const SERVER: Words<Exclude<keyof ResolvedHttpServerOptions, 'limits' | 'lenient' | 'h2'>> = {
  headTimeoutMs:
    'from the first byte of a head to its end, then 408; and from the accept to the first byte, then a silent close',
  idleTimeoutMs: 'a kept-alive connection without a request; then a silent close',
  readTimeoutMs: 'between two reads of a request body; then 408',
  writeTimeoutMs: 'without progress while the client does not take the response; then a cut',
  minSendRate: 'bytes per second at which the client must take the response; 0: any progress is enough',
  keepaliveRequestLimit: 'requests per connection; 0: no limit',
  abortOnClose: 'a client that closes its sending side while a response is due cancels the request',
  h2c: 'HTTP/2 on plaintext connections whose client begins with its preface',
};

const HTTP2: Words<keyof Http2ServerOptions> = {
  maxConcurrentStreams: 'requests of one connection at a time, cancelled ones with work still going on included',
  initialWindowSize: 'bytes of one request body that may be under way before the application takes them',
  connectionWindowSize: 'the same for all request bodies of a connection together',
  maxFrameSize: 'the largest frame that clients may send',
  headerTableSize: 'bytes of the HPACK table that clients may use',
  maxHeaderListBytes: 'names and values of one head, and 32 bytes for each field; more is 431',
  maxHeaderFields: 'fields of one head, each crumb of a cookie counted; more is 431',
  maxContinuationFrames: 'CONTINUATION frames of one head; more end the connection',
  maxResetsPerInterval:
    'streams that the client resets, or breaks, in 10 s; more end the connection; at least twice `maxConcurrentStreams`',
  maxControlFramesPerInterval:
    'frames that carry nothing in 10 s, beyond what requests justify; more end the connection',
  maxPendingBytes: 'answers to such frames that wait for a client that does not read; more end the connection',
  extendedConnect: 'extended CONNECT (RFC 8441): WebSockets over HTTP/2',
  pingIntervalMs: 'a PING after this time without a byte from the client; 0 sends none',
  pingTimeoutMs: 'a client that stays silent for this time after a PING is given up',
};

const LIMITS: Words<keyof Http1Limits> = {
  maxHeadBytes: 'start line and fields together; more is 431',
  maxFields: 'field lines of one head; more is 431',
  maxTargetBytes: 'bytes of the request target; more is 414',
  maxChunkExtensionBytes: 'chunk extensions of one message together; more is 413',
  maxTrailerBytes: 'trailer section of a chunked body; more is 431',
};

const PEER: Words<keyof PeerOptions> = {
  connectionTimeoutMs: 'to establish one connection, for each address that is tried; for the TLS handshake once more',
  totalConnectionTimeoutMs:
    'for everything until the connection is usable: waiting for a slot, names, all addresses, a tunnel, TLS',
  readTimeoutMs: 'between two reads while a response is due, from the end of the request on',
  writeTimeoutMs: 'without progress while the upstream does not take the request',
  minSendRate: 'bytes per second at which the upstream must take the request; 0: any progress is enough',
  idleTimeoutMs: 'how long an unused connection is kept; 0 keeps none',
  tcpKeepAlive: 'TCP keep-alive probes: `{ idleMs, intervalMs, count }`',
  tcpUserTimeoutMs: 'how long sent data may stay unacknowledged; 0: the system decides',
  tcpFastOpen: 'the first bytes go with the first packet; they may arrive twice',
  dscp: 'marks packets, 0 to 63',
  sendBufferBytes: 'size of the send buffer; without it the system adapts it',
  receiveBufferBytes: 'size of the receive buffer; without it the system adapts it',
  bindTo: 'local address, and ports: `{ address, portRange, fallback }`',
  maxConnections: 'connections in use at the same time; more requests wait',
  maxPendingRequests: 'requests that may wait for one; more get 503',
  groupKey: 'keeps connections of peers that are otherwise the same apart',
  proxy: 'reach the peer through a CONNECT tunnel: `{ nextHop, headers }`',
  customConnect: 'makes the byte stream itself',
  proxyProtocol: 'a PROXY header that is sent first: `{ version, source, destination, tlvs }`',
  tracer: 'is told when connections open and close',
  limits: 'limits for response heads and chunked bodies, as those of requests',
  tls: 'encrypt; the next ones need it',
  sni: 'the name that is sent, and that the certificate must have',
  verifyCert: 'the certificate must be trusted, valid and of that name',
  verifyHostname: 'with `verifyCert`: it must be of that name',
  alternativeCn: 'another name that will do, and is not sent',
  ca: 'trusted authorities (PEM) in the place of the default ones',
  clientCert: 'shown when the upstream asks for a certificate: `{ cert, key, passphrase }`',
  minTlsVersion: 'least version of TLS',
  maxTlsVersion: 'greatest version of TLS',
  ciphers: 'an OpenSSL list of ciphers',
  curves: 'groups for the key exchange',
  sessionResumption: 'take up the session of an earlier connection',
  alpn: 'HTTP versions: `h1`, `h2` (without TLS: known to be spoken), `h2h1` (the upstream chooses)',
  alpnProtocols:
    "protocols offered in the place of `alpn`, for connections that are not HTTP: `['mine']`, or `[]` for none",
  maxH2Streams: 'HTTP/2: requests at the same time on one connection, or fewer when the upstream says so',
  h2PingIntervalMs: 'HTTP/2: how often a PING is sent; 0 sends none',
  h2PingTimeoutMs: 'HTTP/2: a PING that is not answered in this time ends the connection',
  h2StreamWindowBytes: 'HTTP/2: bytes of one response that may be sent ahead of the reader',
  h2ConnectionWindowBytes: 'HTTP/2: the same for a connection; 0: room for all its streams',
  h2DowngradeMs: 'HTTP/2: how long an upstream that wants HTTP/1.1 is remembered',
  requestPolicy: "what of the client's head is sent upstream: `{ stripHopByHop, stripConnectionNominated, upgrade }`",
};

/** Options of the client side. */
export function serverDefaults(): string {
  return table(SERVER, { ...resolveHttpServerOptions() });
}

/** Options of HTTP/2 on the client side. */
export function http2Defaults(): string {
  return table(HTTP2, { ...DEFAULT_HTTP2_SERVER_OPTIONS });
}

/** Sizes beyond which a message is refused. */
export function limitDefaults(): string {
  return table(LIMITS, { ...DEFAULT_HTTP1_LIMITS });
}

/** Options of a peer. */
export function peerDefaults(): string {
  const { stripHopByHop, stripConnectionNominated, upgrade, ...options } = DEFAULT_PEER_OPTIONS;
  return table(PEER, {
    ...options,
    limits: 'see below',
    sni: 'the host of the address',
    requestPolicy: `${stripHopByHop}, ${stripConnectionNominated}, ${upgrade}`,
  });
}

function table(words: Readonly<Record<string, string>>, values: Readonly<Record<string, unknown>>): string {
  const rows = Object.entries(words).map(([name, meaning]) => `| \`${name}\` | ${shown(values[name])} | ${meaning} |`);
  return ['| Option | Default | Meaning |', '|---|---|---|', ...rows].join('\n');
}

function shown(value: unknown): string {
  if (value === undefined) return 'none';
  return typeof value === 'number' ? value.toLocaleString('en-US') : String(value);
}
