/**
 * The options of the connections to the servers of a group, from what the file says. Certificates are read here, once.
 */
import { readFileSync } from 'node:fs';
import type { PeerOptions } from '@cirque/pool';
import type { UpstreamConfig, UpstreamTlsConfig } from '../config/gateway-config.ts';

/** What streams and HTTP have in common. @throws TypeError naming the upstream and a file that cannot be read. */
export function connectionOptions(config: UpstreamConfig): PeerOptions {
  return {
    connectionTimeoutMs: config.connectTimeoutMs,
    readTimeoutMs: config.readTimeoutMs,
    writeTimeoutMs: config.writeTimeoutMs,
    idleTimeoutMs: config.idleTimeoutMs,
    ...(config.tls === undefined ? {} : tlsOptions(config.name, config.tls)),
  };
}

const ALPN = { http1: 'h1', http2: 'h2', auto: 'h2h1' } as const;

/** As {@link connectionOptions}, with the versions of HTTP that are offered. */
export function httpOptions(config: UpstreamConfig, connection: PeerOptions): PeerOptions {
  return { ...connection, alpn: ALPN[config.http] };
}

function tlsOptions(upstream: string, { sni, verify, ca, clientCertificate }: UpstreamTlsConfig): PeerOptions {
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
