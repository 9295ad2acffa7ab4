import { createHash, createHmac } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import { BackendTokens } from './backend-tokens.ts';
import { StickyCookie, type StickyCookieOptions } from './sticky-cookie.ts';

const secret = 'correct horse battery staple';
const list = (...addresses: string[]): { address: string }[] => addresses.map((address) => ({ address }));
const tokenIn = (field: string): string => field.split(';', 1)[0]?.split('=')[1] ?? '';

describe('StickyCookie', () => {
  it('StickyCookie leads back to the backend that it was made for', () => {
    const sticky = new StickyCookie({ secret });
    const backends = list('10.0.0.1:80', '[::1]:80', 'unix:/run/a;b.sock');
    for (const backend of backends) {
      const [pair = ''] = sticky.setCookie(backend).split(';');
      expect(sticky.read(`lang=en; ${pair}; x=y`, backends)).toBe(backend.address);
    }
  });

  it('StickyCookie is understood by another thread, and after a restart', () => {
    const backends = list('10.0.0.1:80', '10.0.0.2:80');
    const [pair = ''] = new StickyCookie({ secret }).setCookie({ address: '10.0.0.2:80' }).split(';');
    expect(new StickyCookie({ secret }).read(pair, backends)).toBe('10.0.0.2:80');
    expect(new StickyCookie({ secret: Buffer.from(secret) }).read(pair, backends)).toBe('10.0.0.2:80');
  });

  it('StickyCookie shows nothing of the address, and cannot be made without the secret', () => {
    const backends = list('10.0.0.1:80');
    const sticky = new StickyCookie({ secret });
    const token = tokenIn(sticky.setCookie({ address: '10.0.0.1:80' }));
    expect(token).toBe(createHmac('sha256', secret).update('10.0.0.1:80').digest('base64url'));
    for (const forged of [
      createHash('sha256').update('10.0.0.1:80').digest('base64url'),
      createHmac('sha256', 'some other secret').update('10.0.0.1:80').digest('base64url'),
      '10.0.0.1:80',
      `${token.slice(0, -2)}${token.endsWith('A') ? 'BB' : 'AA'}`,
      `${token.slice(0, 12)}${'A'.repeat(31)}`,
      token.slice(0, -1),
      `${token}A`,
      token.toLowerCase(),
      '',
      '__proto__',
    ]) {
      expect(sticky.read(`cirque-backend=${forged}`, backends)).toBeUndefined();
    }
  });

  it('StickyCookie without a secret still shows no address as it is', () => {
    const sticky = new StickyCookie();
    const field = sticky.setCookie({ address: '10.0.0.1:80' });
    expect(field).not.toContain('10.0');
    expect(sticky.read(field.split(';')[0], list('10.0.0.1:80'))).toBe('10.0.0.1:80');
  });

  it('StickyCookie knows no backend that is not in the list', () => {
    const [pair = ''] = new StickyCookie({ secret }).setCookie({ address: '10.0.0.2:80' }).split(';');
    const sticky = new StickyCookie({ secret });
    expect(sticky.read(pair, list('10.0.0.1:80'))).toBeUndefined();
    expect(sticky.read(pair, list('10.0.0.1:80', '10.0.0.2:80'))).toBe('10.0.0.2:80');
  });

  it('StickyCookie takes the first cookie that is right, of the first four', () => {
    const sticky = new StickyCookie({ secret });
    const backends = list('10.0.0.1:80');
    const [pair = ''] = sticky.setCookie({ address: '10.0.0.1:80' }).split(';');
    const wrong = 'cirque-backend=x; ';
    expect(sticky.read(wrong.repeat(3) + pair, backends)).toBe('10.0.0.1:80');
    expect(sticky.read(wrong.repeat(4) + pair, backends)).toBeUndefined();
    expect(sticky.read(undefined, backends)).toBeUndefined();
    expect(sticky.read('a=b', backends)).toBeUndefined();
  });

  it.each<[StickyCookieOptions, string]>([
    [{}, 'cirque-backend=T; Path=/; HttpOnly; SameSite=Lax'],
    [
      { name: 'route', path: '/shop', secure: true, sameSite: 'None', ttlMs: 1_500 },
      'route=T; Path=/shop; Max-Age=2; HttpOnly; Secure; SameSite=None',
    ],
    [{ name: '__Host-b', secure: true, sameSite: 'Strict' }, '__Host-b=T; Path=/; HttpOnly; Secure; SameSite=Strict'],
  ])('StickyCookie writes the attributes of %j', (options, expected) => {
    const field = new StickyCookie(options).setCookie({ address: 'a:1' });
    expect(field.replace(tokenIn(field), 'T')).toBe(expected);
  });

  it.each<[StickyCookieOptions, RegExp]>([
    [{ name: 'a b' }, /^name must be a cookie name, a token, got "a b"$/],
    [{ name: '' }, /^name must be/],
    [{ secret: 'short' }, /^secret must have 16 bytes or more, got 5$/],
    [{ secret: 5 as unknown as string }, /^secret must be a string or bytes, got a value of type number$/],
    [{ path: 'shop' }, /^path must begin with a slash and have no semicolon, got "shop"$/],
    [{ path: '/a;b' }, /^path must/],
    [{ path: '/a\r\nSet-Cookie: x' }, /^path must/],
    [{ sameSite: 'lax' as 'Lax' }, /^sameSite must be 'Strict', 'Lax' or 'None', got lax$/],
    [{ sameSite: 'None' }, /^sameSite 'None' needs secure: true/],
    [{ name: '__Secure-x' }, /^a cookie of the name __Secure-x needs secure: true/],
    [{ name: '__Host-x', secure: true, path: '/a' }, /^a cookie of the name __Host-x needs the path '\/'/],
    [{ ttlMs: 0 }, /^ttlMs must be an integer from 1, got 0$/],
  ])('StickyCookie refuses %j', (options, message) => {
    expect(() => new StickyCookie(options)).toThrow(message);
  });
});

describe('BackendTokens', () => {
  it('BackendTokens goes through a list once, whatever is asked of it', () => {
    const tokens = new BackendTokens(secret);
    const backends = list('a:1', 'b:1');
    const iterate = vi.spyOn(backends, Symbol.iterator);
    const unknown = new BackendTokens(secret).tokenOf('c:1');
    for (let i = 0; i < 5; i += 1) expect(tokens.addressOf(unknown, backends)).toBeUndefined();
    expect(iterate).toHaveBeenCalledTimes(1);
    tokens.addressOf(tokens.tokenOf('a:1'), list('x:1'));
    expect(tokens.size).toBe(2);
  });

  it('BackendTokens forgets who has left, when it goes through the next list', () => {
    const tokens = new BackendTokens(secret);
    const stranger = new BackendTokens(secret).tokenOf('nobody:1');
    const old = tokens.tokenOf('old:1');
    tokens.addressOf(stranger, list('a:1', 'b:1'));
    expect(tokens.size).toBe(2);
    expect(tokens.addressOf(old, list('a:1', 'old:1'))).toBe('old:1');
    expect(tokens.size).toBe(2);
  });

  it('BackendTokens does not grow without end where no unknown token comes', () => {
    const tokens = new BackendTokens(secret);
    const known = tokens.tokenOf('a:1');
    for (let i = 0; i < 5_000; i += 1) tokens.tokenOf(`gone-${i}:1`);
    expect(tokens.addressOf(known, list('a:1'))).toBe('a:1');
    expect(tokens.size).toBe(1);
  });

  it('BackendTokens takes long lists in slices, and goes on with a newer one', async () => {
    const addresses = Array.from({ length: 9_000 }, (_, i) => `b${i}:1`);
    const token = new BackendTokens(secret).tokenOf('b8999:1');
    const tokens = new BackendTokens(secret);
    expect(tokens.addressOf(token, list(...addresses))).toBeUndefined();
    expect(tokens.size).toBe(2_000);
    const shorter = list(...addresses.slice(1));
    expect(tokens.addressOf(token, shorter)).toBeUndefined();
    for (let turns = 0; tokens.addressOf(token, shorter) === undefined; turns += 1) {
      expect(turns).toBeLessThan(20);
      await new Promise((resolve) => setImmediate(resolve));
    }
    for (let turns = 0; tokens.size !== 8_999; turns += 1) {
      expect(turns).toBeLessThan(20);
      await new Promise((resolve) => setImmediate(resolve));
    }
  });
});
