import { HeaderMap, RequestHeader } from '@cirque/http';
import type { Session } from '@cirque/proxy';
import { describe, expect, it } from 'vitest';
import { hostName, requestKey, streamKey } from './selection-key.ts';

function session(fields: [string, string][], serverName?: string): Session {
  const requestHeader = new RequestHeader('GET', '/a/b?c=d', HeaderMap.from(fields));
  return {
    requestHeader,
    digest: { ssl: serverName === undefined ? undefined : { serverName } },
  } as unknown as Session;
}

describe('requestKey', () => {
  const fields: [string, string][] = [
    ['Host', 'A.Example.:8080'],
    ['X-User', 'me'],
    ['Cookie', 'a=1; user=x=y; user=2'],
    ['Cookie', 'late=3; =; bare'],
  ];

  it.each([
    ['client_ip', '192.0.2.1'],
    ['uri', '/a/b?c=d'],
    ['path', '/a/b'],
    ['host', 'a.example'],
    ['sni', 'b.example'],
    ['header:X-User', 'me'],
    ['header:x-user', 'me'],
    ['header:X-None', '192.0.2.1'],
    ['cookie:a', '1'],
    ['cookie:user', 'x=y'],
    ['cookie:late', '3'],
    ['cookie:User', '192.0.2.1'],
    ['cookie:bare', '192.0.2.1'],
  ])('requestKey %s is %s', (key, expected) => {
    expect(requestKey(key)(session(fields, 'b.example'), '192.0.2.1')).toBe(expected);
  });

  it('requestKey is empty where nothing is known at all', () => {
    for (const key of ['client_ip', 'host', 'sni', 'header:X', 'cookie:x']) {
      expect(requestKey(key)(session([]), undefined)).toBe('');
    }
  });

  it.each(['', 'ip', 'header:', 'cookie:', 'constructor', 'toString'])('requestKey refuses "%s"', (key) => {
    expect(() => requestKey(key)).toThrow(/balance key ".*" is unknown: expected client_ip, uri/);
  });
});

describe('streamKey', () => {
  it('streamKey is the name asked for, or the address', () => {
    const client = { address: '192.0.2.1', serverName: 'a.example' };
    expect(streamKey('sni', client)).toBe('a.example');
    expect(streamKey('client_ip', client)).toBe('192.0.2.1');
    expect(streamKey('sni', { ...client, serverName: undefined })).toBe('192.0.2.1');
    expect(streamKey('client_ip', { address: undefined, serverName: undefined })).toBe('');
  });
});

describe('hostName', () => {
  it.each([
    ['a.example', 'a.example'],
    ['A.Example:80', 'a.example'],
    ['a.example.', 'a.example'],
    ['a.example.:80', 'a.example'],
    ['[2001:DB8::1]:80', '2001:db8::1'],
    ['[::1]', '::1'],
    ['[', ''],
    ['192.0.2.1:80', '192.0.2.1'],
    ['', ''],
    [':80', ''],
  ])('hostName of %s is %s', (authority, name) => {
    expect(hostName(authority)).toBe(name);
  });
});
