/**
 * TLS of a listener, as core takes it.
 */
import { type CertificateFiles, type TlsHostOptions, TlsSettings } from '@cirque/core';
import type { CertificateConfig, ListenerTls } from '../config/gateway-config.ts';

/** In the words of a file, and in those of core. */
const CLIENT_CERTIFICATES = { none: 'off', optional: 'request', require: 'require' } as const;

/**
 * The settings of a listener.
 *
 * @param http2 offer HTTP/2 before HTTP/1.1; undefined: no protocol is offered, as with streams, whose own affair that is.
 */
export function tlsSettingsOf(tls: ListenerTls, http2: boolean | undefined): TlsSettings {
  const client = {
    clientCertificate: CLIENT_CERTIFICATES[tls.clientCertificate],
    ...(tls.clientCa === undefined ? {} : { clientCaFile: tls.clientCa }),
  };
  const hosts: Record<string, TlsHostOptions> = {};
  for (const [name, certificate] of Object.entries(tls.hosts)) hosts[name] = { ...filesOf(certificate), ...client };
  const settings = new TlsSettings({
    ...(tls.certificate === undefined ? {} : { certificate: filesOf(tls.certificate) }),
    ...client,
    hosts,
    minVersion: tls.minVersion,
    ...(http2 === undefined ? { alpn: [] } : {}),
  });
  return http2 === true ? settings.enableH2() : settings;
}

function filesOf({ cert, key }: CertificateConfig): CertificateFiles {
  return { certFile: cert, keyFile: key };
}
