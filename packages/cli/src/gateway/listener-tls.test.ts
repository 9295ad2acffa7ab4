import { describe, expect, it } from 'vitest';
import type { ListenerTls } from '../config/gateway-config.ts';
import { tlsSettingsOf } from './listener-tls.ts';

const TLS: ListenerTls = {
  certificate: { cert: '/c.pem', key: '/c.key' },
  hosts: { '*.a.example': { cert: '/a.pem', key: '/a.key' } },
  minVersion: 'TLSv1.3',
  clientCertificate: 'require',
  clientCa: '/ca.pem',
};

describe('tlsSettingsOf', () => {
  it.each([
    ['http with HTTP/2', true, ['h2', 'http/1.1']],
    ['http without', false, ['http/1.1']],
    ['tcp, which offers nothing', undefined, []],
  ])('tlsSettingsOf offers for %s what it speaks', (_, http2, alpn) => {
    expect(tlsSettingsOf(TLS, http2).alpn).toEqual(alpn);
  });

  it('tlsSettingsOf asks clients of every host for a certificate', () => {
    const client = { clientCertificate: 'require', clientCaFile: '/ca.pem' };
    const { options } = tlsSettingsOf(TLS, true);
    expect(options).toMatchObject({ ...client, minVersion: 'TLSv1.3' });
    expect(JSON.stringify(options)).toContain('/c.key');
    const { options: open } = tlsSettingsOf({ ...TLS, clientCertificate: 'none', clientCa: undefined }, true);
    expect(open).toMatchObject({ clientCertificate: 'off' });
  });

  it('tlsSettingsOf does without a certificate for other names', () => {
    expect(() => tlsSettingsOf({ ...TLS, certificate: undefined }, true)).not.toThrow();
  });
});
