import { expect, test } from 'vitest';
import { HttpPeer } from './peer.ts';
import { DEFAULT_PEER_OPTIONS } from './peer-options.ts';

test.each([
  ['127.0.0.1:80', { host: '127.0.0.1', port: 80 }],
  ['[::1]:8080', { host: '::1', port: 8080 }],
  ['origin.example:443', { host: 'origin.example', port: 443 }],
  ['unix:/run/o.sock', { path: '/run/o.sock' }],
])('HttpPeer: text %s and its object are the same peer', (text, address) => {
  const fromText = new HttpPeer(text);
  const fromObject = new HttpPeer(address);
  expect(fromText.address).toEqual(address);
  expect(fromObject.address).toEqual(address);
  expect(fromText.reuseKey).toBe(fromObject.reuseKey);
  expect(String(fromText)).toBe(text);
  expect(fromText.options).toBe(DEFAULT_PEER_OPTIONS);
});

test.each([
  ['port 0', { host: 'a', port: 0 }],
  ['port 0 as text', 'a:0'],
  ['port too large', { host: 'a', port: 65_536 }],
  ['port as text', { host: 'a', port: '80' }],
  ['no port', { host: 'a' }],
  ['empty host', { host: '', port: 80 }],
  ['host with a space', { host: 'a b', port: 80 }],
  ['host with a port', { host: 'a:80', port: 80 }],
  ['host that is a list', { host: '["a:1"]', port: 80 }],
  ['IPv6 in brackets', { host: '[::1]', port: 80 }],
  ['relative path', { path: '80' }],
  ['path with NUL', { path: '/a\0b' }],
  ['path that is a number', { path: 5 }],
  ['nothing', undefined],
  ['null', null],
  ['text without port', 'localhost'],
])('HttpPeer: refuses %s', (_, address) => {
  expect(() => new HttpPeer(address as string)).toThrow(TypeError);
  expect(() => new HttpPeer(address as string)).toThrow(/is not valid: expected/);
});

test('HttpPeer: refuses a unix peer behind a proxy when it is made, not when it is used', () => {
  const proxy = { nextHop: { host: 'proxy', port: 3128 } };
  expect(() => new HttpPeer('unix:/run/o.sock', { proxy })).toThrow('unix:/run/o.sock is a unix socket');
});

test('HttpPeer: a peer keeps its address when the given object changes', () => {
  const address = { host: '127.0.0.1', port: 1 };
  const peer = new HttpPeer(address);
  address.port = 2;
  expect(peer.address).toEqual({ host: '127.0.0.1', port: 1 });
});

test('HttpPeer: an address object that is changed between two peers does not keep its old key', () => {
  const address = { host: '127.0.0.1', port: 1 };
  const before = new HttpPeer(address);
  address.port = 2;
  const after = new HttpPeer(address);
  expect(after.address).toEqual({ host: '127.0.0.1', port: 2 });
  expect(after.reuseKey).not.toBe(before.reuseKey);
});

test('HttpPeer: peers of one unchanged address object share the checked copy', () => {
  const address = { host: '127.0.0.1', port: 1 };
  expect(new HttpPeer(address).address).toBe(new HttpPeer(address).address);
});
