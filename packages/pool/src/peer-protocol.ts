/**
 * Which HTTP versions a peer may be spoken to in.
 */
import type { Peer } from './peer.ts';
import type { ResolvedPeerOptions } from './peer-options.ts';

/** `either`: the upstream chooses, by ALPN in the TLS handshake. */
export type PeerProtocol = 'h1' | 'h2' | 'either';

/** Without TLS nobody can choose: `h2` is prior knowledge then (RFC 9113 section 3.3), and `h2h1` means HTTP/1. */
export function protocolOf({ alpn, tls }: ResolvedPeerOptions): PeerProtocol {
  if (alpn === 'h2') return 'h2';
  return alpn === 'h2h1' && tls ? 'either' : 'h1';
}

/** The same peer, to be spoken to in HTTP/1 only. Its connections are interchangeable with the HTTP/1 ones of the other. */
export function http1Peer(peer: Peer): Peer {
  if (peer.options.alpn === 'h1') return peer;
  return { address: peer.address, reuseKey: peer.reuseKey, options: { ...peer.options, alpn: 'h1' } };
}
