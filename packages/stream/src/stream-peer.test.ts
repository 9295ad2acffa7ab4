import { DEFAULT_PEER_OPTIONS } from '@cirque/pool';
import { expect, test } from 'vitest';
import { StreamPeer, type StreamPeerOptions } from './stream-peer.ts';

test('StreamPeer takes text, addresses and whatever has one', () => {
  expect(new StreamPeer('127.0.0.1:5432').address).toEqual({ host: '127.0.0.1', port: 5_432 });
  expect(new StreamPeer('unix:/run/db').address).toEqual({ path: '/run/db' });
  const backend = { host: 'db.example', port: 1, weight: 3 };
  expect(new StreamPeer(backend).address).toEqual({ host: 'db.example', port: 1 });
  expect(new StreamPeer(backend).options).toBe(DEFAULT_PEER_OPTIONS);
});

test('StreamPeer offers no protocol over TLS unless it is told to', () => {
  expect(new StreamPeer('a.example:1', { tls: true }).options.alpnProtocols).toEqual([]);
  expect(new StreamPeer('a.example:1', { tls: true, alpnProtocols: ['x'] }).options.alpnProtocols).toEqual(['x']);
  expect(new StreamPeer('a.example:1', { connectionTimeoutMs: 5 }).options).toMatchObject({
    connectionTimeoutMs: 5,
    tls: false,
  });
});

test.each([
  [{ readTimeoutMs: 1 }, 'stream peer option readTimeoutMs is unknown: expected one of connectionTimeoutMs,'],
  [{ alpn: 'h2' }, 'stream peer option alpn is unknown'],
  [{ sni: 'a.example' }, 'peer option sni is given without tls: expected tls: true as well'],
  [{ connectionTimeoutMs: -1 }, 'peer option connectionTimeoutMs is -1'],
])('StreamPeer refuses %j', (options, message) => {
  expect(() => new StreamPeer('a.example:1', options as StreamPeerOptions)).toThrow(message);
});

test('StreamPeer refuses what is no address', () => {
  expect(() => new StreamPeer({ host: '', port: 1 })).toThrow('peer address');
  expect(() => new StreamPeer('a.example')).toThrow();
});
