import { HeaderMap, RequestHeader, ResponseHeader } from '@cirque/http';
import { describe, expect, it } from 'vitest';
import { addForwarded, addVia, addXForwarded, clientAddress } from './forwarded.ts';
import type { Session } from './session.ts';
import { trustedProxies } from './trusted-proxies.ts';

function sessionFrom(address: string | undefined, fields: Record<string, string> = {}, tls = false): Session {
  const requestHeader = new RequestHeader('GET', '/', HeaderMap.from({ Host: 'a.example:8080', ...fields }));
  const digest = { ssl: tls ? {} : undefined };
  return { clientAddress: address, requestHeader, digest } as unknown as Session;
}

function forwardedBy(
  help: typeof addXForwarded,
  session: Session,
  trusted: readonly string[] = [],
): Record<string, string | string[]> {
  const request = session.requestHeader.clone();
  help(session, request, { trusted: trustedProxies(trusted) });
  return { ...request.headers.toJSON() };
}

describe('trustedProxies', () => {
  it.each([
    ['10.1.2.3', true],
    ['11.1.2.3', false],
    ['::1', true],
    ['127.9.9.9', true],
    ['2001:db8::5', true],
    ['2001:db9::5', false],
    ['not an address', false],
    [undefined, false],
  ])('trusts %s: %s', (address, expected) => {
    expect(trustedProxies(['10.0.0.0/8', 'loopback', '2001:db8::/32'])(address)).toBe(expected);
  });

  it('trusts clients on unix sockets only by name', () => {
    expect(trustedProxies(['unix'])(undefined)).toBe(true);
  });

  it.each(['10.0.0.0/33', '10.0.0.0/', 'example.com', '10.0.0.0/8/8', '::1/129', ''])('refuses %j', (entry) => {
    expect(() => trustedProxies([entry])).toThrow(/trusted proxy .* expected an IP address/);
  });
});

describe('addXForwarded', () => {
  it('tells the client, host and scheme', () => {
    expect(forwardedBy(addXForwarded, sessionFrom('192.0.2.1'))).toEqual({
      host: 'a.example:8080',
      'x-forwarded-for': '192.0.2.1',
      'x-forwarded-host': 'a.example:8080',
      'x-forwarded-proto': 'http',
    });
  });

  it('tells of TLS on the connection of the client', () => {
    const session = sessionFrom('192.0.2.1', { 'X-Forwarded-Proto': 'http' }, true);
    expect(forwardedBy(addXForwarded, session)['x-forwarded-proto']).toBe('https');
    expect(forwardedBy(addForwarded, session).forwarded).toBe('for=192.0.2.1;host="a.example:8080";proto=https');
  });

  it('replaces the claims of a neighbour that is not trusted', () => {
    const spoofed = {
      'X-Forwarded-For': '1.1.1.1',
      'x-real-ip': '1.1.1.1',
      Forwarded: 'for=1.1.1.1',
      'X-Forwarded-Proto': 'https',
    };
    expect(forwardedBy(addXForwarded, sessionFrom('192.0.2.1', spoofed), ['10.0.0.0/8'])).toEqual({
      host: 'a.example:8080',
      'x-forwarded-for': '192.0.2.1',
      'x-forwarded-host': 'a.example:8080',
      'x-forwarded-proto': 'http',
    });
  });

  it('extends the claims of a trusted neighbour', () => {
    const claims = { 'X-Forwarded-For': '192.0.2.7', 'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'b.example' };
    const fields = forwardedBy(addXForwarded, sessionFrom('10.0.0.9', claims), ['10.0.0.0/8']);
    expect(fields).toMatchObject({
      'x-forwarded-for': '192.0.2.7, 10.0.0.9',
      'x-forwarded-proto': 'https',
      'x-forwarded-host': 'b.example',
    });
  });
});

describe('addForwarded', () => {
  it('quotes what is no token', () => {
    const fields = forwardedBy(addForwarded, sessionFrom('2001:db8::1'));
    expect(fields.forwarded).toBe('for="[2001:db8::1]";host="a.example:8080";proto=http');
  });

  it('appends to a trusted chain and drops one that is not', () => {
    const session = sessionFrom('10.0.0.9', { Forwarded: 'for=192.0.2.7' });
    const ours = 'for=10.0.0.9;host="a.example:8080";proto=http';
    expect(forwardedBy(addForwarded, session, ['10.0.0.9']).forwarded).toBe(`for=192.0.2.7, ${ours}`);
    expect(forwardedBy(addForwarded, session).forwarded).toBe(ours);
  });

  it('calls a client without an address unknown', () => {
    expect(forwardedBy(addForwarded, sessionFrom(undefined)).forwarded).toMatch(/^for=unknown;/);
  });
});

describe('addVia', () => {
  it('appends to what is there, with the version received', () => {
    const request = new RequestHeader('GET', '/', HeaderMap.from({ Via: '1.0 a, 1.1 b' }), '1.0');
    addVia(request, 'cirque');
    expect(request.getHeader('via')).toBe('1.0 a, 1.1 b, 1.0 cirque');
    const response = new ResponseHeader(200);
    addVia(response, 'cirque');
    expect(response.getHeader('via')).toBe('1.1 cirque');
  });
});

describe('clientAddress', () => {
  const trusted = trustedProxies(['10.0.0.0/8']);
  it.each([
    ['192.0.2.1', '1.1.1.1', '192.0.2.1'],
    ['10.0.0.1', '1.1.1.1, 192.0.2.7', '192.0.2.7'],
    ['10.0.0.1', '1.1.1.1, 192.0.2.7, 10.0.0.2', '192.0.2.7'],
    ['10.0.0.1', '10.0.0.3, 10.0.0.2', '10.0.0.3'],
    ['10.0.0.1', '192.0.2.7:4711', '192.0.2.7'],
    ['10.0.0.1', '[2001:db8::1]:4711', '2001:db8::1'],
    ['10.0.0.1', '', '10.0.0.1'],
  ])('from %s with %j is %s', (neighbour, chain, expected) => {
    expect(clientAddress(sessionFrom(neighbour, { 'X-Forwarded-For': chain }), trusted)).toBe(expected);
  });
});
