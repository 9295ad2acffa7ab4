import { expect, test } from 'vitest';
import { HttpPeer } from './peer.ts';
import type { PeerOptions } from './peer-options.ts';
import { http1Peer, protocolOf } from './peer-protocol.ts';

test.each([
  [{}, 'h1'],
  [{ alpn: 'h2' }, 'h2'],
  [{ alpn: 'h2h1' }, 'h1'],
  [{ tls: true }, 'h1'],
  [{ tls: true, alpn: 'h2' }, 'h2'],
  [{ tls: true, alpn: 'h2h1' }, 'either'],
] satisfies [PeerOptions, string][])('protocolOf: %j is %s', (options, protocol) => {
  expect(protocolOf(new HttpPeer('origin.example:443', options).options)).toBe(protocol);
});

test('http1Peer: the same peer, with nothing but HTTP/1 to offer', () => {
  const peer = new HttpPeer('origin.example:443', { tls: true, alpn: 'h2h1' });
  const { address, reuseKey, options } = http1Peer(peer);
  expect({ address, reuseKey, options }).toEqual({ ...peer, options: { ...peer.options, alpn: 'h1' } });
  const plain = new HttpPeer('origin.example:443');
  expect(http1Peer(plain)).toBe(plain);
});
