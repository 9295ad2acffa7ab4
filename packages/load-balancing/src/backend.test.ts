import { describe, expect, expectTypeOf, it } from 'vitest';
import { Backend, InetBackend, UnixBackend } from './backend.ts';

describe('Backend.parse', () => {
  it.each([
    ['1.1.1.1:443', '1.1.1.1:443', { host: '1.1.1.1', port: 443 }],
    ['[::1]:80', '[::1]:80', { host: '::1', port: 80 }],
    ['[2001:DB8:0:0:0:0:0:1]:8080', '[2001:db8::1]:8080', { host: '2001:db8::1', port: 8080 }],
    ['[::ffff:10.0.0.1]:80', '[::ffff:10.0.0.1]:80', { host: '::ffff:10.0.0.1', port: 80 }],
    ['[fe80::1%eth0]:80', '[fe80::1%eth0]:80', { host: 'fe80::1%eth0', port: 80 }],
    ['Backend-1.Example.COM:8080', 'backend-1.example.com:8080', { host: 'backend-1.example.com', port: 8080 }],
    ['localhost:65535', 'localhost:65535', { host: 'localhost', port: 65_535 }],
    ['my_service:1', 'my_service:1', { host: 'my_service', port: 1 }],
    ['127.0.0.1:0080', '127.0.0.1:80', { host: '127.0.0.1', port: 80 }],
  ])('Backend.parse reads %s', (text, address, parts) => {
    const backend = Backend.parse(text);
    expect(backend).toMatchObject(parts);
    expect(backend.address).toBe(address);
    expect(String(backend)).toBe(address);
    expect('path' in backend).toBe(false);
    expect(backend).toBeInstanceOf(InetBackend);
    expect(backend).toBeInstanceOf(Backend);
  });

  it('Backend.parse reads unix-domain sockets', () => {
    const backend = Backend.parse('unix:/run/x.sock', { weight: 3 });
    expect(backend).toMatchObject({ path: '/run/x.sock', address: 'unix:/run/x.sock', weight: 3 });
    expect('host' in backend || 'port' in backend).toBe(false);
    expect(backend).toBeInstanceOf(UnixBackend);
  });

  it.each([
    '',
    '1.1.1.1',
    ':80',
    '1.1.1.1:',
    '1.1.1.1:0',
    '1.1.1.1:65536',
    '1.1.1.1:8o',
    '1.1.1.1:-1',
    '::1:80',
    '[::1]',
    '[::1',
    '[1.1.1.1]:80',
    '[::g]:80',
    '1.1.1.256:80',
    '1.1.1:80',
    'http://1.1.1.1:80',
    'name:80/path',
    'na me:80',
    'näme:80',
    '-:80 ',
    `${'a'.repeat(254)}:80`,
    'unix:',
    '/run/x.sock',
  ])('Backend.parse refuses %j, naming it and the right forms', (text) => {
    expect(() => Backend.parse(text)).toThrow(TypeError);
    expect(() => Backend.parse(text)).toThrow(JSON.stringify(text));
    expect(() => Backend.parse(text)).toThrow(/'host:port', '\[ipv6\]:port' or 'unix:\/path'/);
  });

  it('Backend.parse refuses socket paths that the kernel would', () => {
    expect(() => Backend.parse(`unix:/${'x'.repeat(107)}`)).toThrow(/from 1 to 107 bytes/);
    expect(() => Backend.parse('unix:/a\0b')).toThrow(/is not valid/);
    expect(Backend.parse(`unix:/${'x'.repeat(106)}`).address).toHaveLength(112);
  });

  it('Backend.parse refuses what is no text', () => {
    // @ts-expect-error only text can be parsed
    expect(() => Backend.parse(80)).toThrow('backend address of type number is not valid');
  });

  it.each([-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 1_000_001])('Backend.parse refuses weight %d', (weight) => {
    expect(() => Backend.parse('a:1', { weight })).toThrow(RangeError);
    expect(() => Backend.parse('a:1', { weight })).toThrow(
      /weight of backend a:1 must be an integer from 0 to 1000000, got/,
    );
  });

  it('Backend.parse takes weight zero, weight one by default, and a copy of the data', () => {
    const ext = new Map([['zone', 'a']]);
    const backend = Backend.parse('a:1', { weight: 0, ext });
    ext.set('zone', 'b');
    expect(backend.weight).toBe(0);
    expect(backend.ext.get('zone')).toBe('a');
    expect(Backend.parse('a:1').weight).toBe(1);
    expect(Backend.parse('a:1').ext.size).toBe(0);
  });
});

describe('Backend', () => {
  it('Backend.of makes the same as parse from parts', () => {
    expect(Backend.of({ host: '::1', port: 80 })).toEqual(Backend.parse('[::1]:80'));
    expect(Backend.of({ path: '/run/x.sock' })).toEqual(Backend.parse('unix:/run/x.sock'));
    expect(() => Backend.of({ host: 'a', port: 0 })).toThrow(/"a:0" is not valid/);
    expect(() => Backend.of({ host: 'a:b', port: 1 })).toThrow(TypeError);
  });

  it('Backend cannot be changed', () => {
    const backend = Backend.parse('a:1');
    expect(Object.isFrozen(backend)).toBe(true);
    expect(() => Object.assign(backend, { weight: 2 })).toThrow(TypeError);
    expect(backend.weight).toBe(1);
  });

  it('Backend fits where an address is asked for', () => {
    expectTypeOf<Backend>().toExtend<{ host: string; port: number } | { path: string }>();
  });
});
