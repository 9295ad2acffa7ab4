/**
 * The options of the connections to the servers of a group, from what the file says. Certificates are read here.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { TlsCheckOptions } from '@cirque/load-balancing';
import type { PeerOptions } from '@cirque/pool';
import type { StreamPeerOptions } from '@cirque/stream';
import type { UpstreamConfig, UpstreamTlsConfig } from '../config/gateway-config.ts';

/** What streams and HTTP have in common. @throws TypeError naming the upstream and a file that cannot be read. */
export function connectionOptions(config: UpstreamConfig): StreamPeerOptions {
  return {
    connectionTimeoutMs: config.connectTimeoutMs,
    ...(config.tls === undefined ? {} : tlsOptions(config.name, config.tls)),
  };
}

const ALPN = { http1: 'h1', http2: 'h2', auto: 'h2h1' } as const;

/** {@link connectionOptions} with what HTTP adds: its times, and the versions that are offered. */
export function httpOptions(config: UpstreamConfig, connection: StreamPeerOptions): PeerOptions {
  const { http, idleTimeoutMs, readTimeoutMs, writeTimeoutMs } = config;
  return { ...connection, readTimeoutMs, writeTimeoutMs, idleTimeoutMs, alpn: ALPN[http] };
}

/** What health checks need of them. */
export function checkOptions({ ca, clientCert, sni, tls, verifyCert }: StreamPeerOptions): TlsCheckOptions {
  const given = { ca, clientCert, sni, tls, verifyCert };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

/** Another text when certificates or keys of an upstream have changed on the disk; empty where it has none. @throws TypeError as {@link connectionOptions} does. */
export function certificatesDigest({ name, tls }: UpstreamConfig): string {
  if (tls?.ca === undefined && tls?.clientCertificate === undefined) return '';
  return createHash('sha256')
    .update(JSON.stringify(tlsOptions(name, tls)))
    .digest('base64');
}

function tlsOptions(upstream: string, { sni, verify, ca, clientCertificate }: UpstreamTlsConfig): StreamPeerOptions {
  const read = (what: string, path: string): string => readText(`upstreams.${upstream}.tls.${what}`, path);
  return {
    tls: true,
    verifyCert: verify,
    ...(sni === undefined ? {} : { sni }),
    ...(ca === undefined ? {} : { ca: read('ca', ca) }),
    ...(clientCertificate === undefined
      ? {}
      : {
          clientCert: {
            cert: read('client_certificate.cert', clientCertificate.cert),
            key: read('client_certificate.key', clientCertificate.key),
          },
        }),
  };
}

function readText(key: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    const { code = 'error' } = cause as NodeJS.ErrnoException;
    throw new TypeError(`${key} ${JSON.stringify(path)} cannot be read (${code}): expected a file in PEM`, { cause });
  }
}
