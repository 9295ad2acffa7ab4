/**
 * TLS of listeners and towards servers.
 */
import { z } from 'zod';
import type { CertificateConfig, ListenerTls, UpstreamTlsConfig } from '../config/gateway-config.ts';
import { choice, flag } from './basic-values.ts';
import { filePath } from './file-path.ts';
import { mapOf } from './lists.ts';
import { hostName, hostPattern } from './name-values.ts';
import { onlyWith, optional, type Rule, required, setting, settings } from './settings.ts';

const MIN_VERSIONS = { 'TLSv1.2': 'TLSv1.2', 'TLSv1.3': 'TLSv1.3', 1.2: 'TLSv1.2', 1.3: 'TLSv1.3' } as const;

const minVersion = choice(['TLSv1.2', 'TLSv1.3', 1.2, 1.3], {
  tls1_2: 'TLSv1.2',
  tlsv1_2: 'TLSv1.2',
  'tlsv1.1': 'TLSv1.2',
  tlsv1: 'TLSv1.2',
}).transform((given) => MIN_VERSIONS[given]);

const certificate: z.ZodType<CertificateConfig> = settings(
  {
    cert: required(filePath, 'Path of the certificate with its chain (PEM).'),
    key: required(filePath, 'Path of its private key (PEM).'),
  },
  { what: 'a certificate', synonyms: { certificate: 'cert', private_key: 'key', ssl_certificate: 'cert' } },
);

/** TLS of a listener. */
export const listenerTls: z.ZodType<ListenerTls> = settings(
  {
    cert: optional(filePath, 'Path of the certificate (PEM) for clients whose server name no entry of `hosts` has.'),
    key: optional(filePath, 'Path of its private key (PEM).'),
    hosts: setting(mapOf(hostPattern, certificate), 'Certificates by server name: `a.example` or `*.example`.', {}),
    min_version: setting(minVersion, 'Least version of TLS.', 'TLSv1.2'),
    client_certificate: optional(
      choice(['none', 'optional', 'require']),
      'Whether clients show a certificate. Default: require with `client_ca`, otherwise none.',
    ),
    client_ca: optional(filePath, 'Path of the authorities (PEM) of client certificates.'),
  },
  {
    what: 'TLS of a listener',
    rules: [onlyWith('cert', 'key'), onlyWith('key', 'cert'), hasCertificate, hasClientCa],
    synonyms: {
      certificate: 'cert',
      private_key: 'key',
      ssl_certificate: 'cert',
      ssl_certificate_key: 'key',
      ssl_protocols: 'min_version',
      ca: 'client_ca',
    },
  },
).transform(({ cert, key, hosts, min_version, client_certificate, client_ca }) => ({
  certificate: cert === undefined || key === undefined ? undefined : { cert, key },
  hosts,
  minVersion: min_version,
  clientCertificate: client_certificate ?? (client_ca === undefined ? 'none' : 'require'),
  clientCa: client_ca,
}));

const upstreamTlsSettings: z.ZodType<UpstreamTlsConfig> = settings(
  {
    sni: optional(hostName, 'The name to send and to verify. Default: that of the server, or the Host of the request.'),
    verify: setting(flag, 'Whether the certificate must be trusted, valid and of that name.', true),
    ca: optional(filePath, 'Path of the trusted authorities (PEM). Default: `ca_file`, or those of Node.js.'),
    client_certificate: optional(certificate, 'Shown when a server asks for a certificate.'),
  },
  { what: 'TLS to servers', synonyms: { server_name: 'sni', insecure: 'verify', cert: 'client_certificate' } },
).transform(({ sni, verify, ca, client_certificate }) => ({ sni, verify, ca, clientCertificate: client_certificate }));

/** TLS towards servers: `true`, or settings. */
export const upstreamTls: z.ZodType<UpstreamTlsConfig | undefined> = z.union([
  flag.transform((on) =>
    on ? { sni: undefined, verify: true, ca: undefined, clientCertificate: undefined } : undefined,
  ),
  upstreamTlsSettings,
]);

function hasCertificate(given: Readonly<Record<string, unknown>>, refuse: Parameters<Rule>[1]): void {
  const hosts = given.hosts;
  const empty = typeof hosts === 'object' && hosts !== null && Object.keys(hosts).length === 0;
  if (given.cert === undefined && given.key === undefined && empty)
    refuse([], 'needs a certificate: cert and key, or hosts');
}

function hasClientCa(given: Readonly<Record<string, unknown>>, refuse: Parameters<Rule>[1]): void {
  const asks = given.client_certificate === 'optional' || given.client_certificate === 'require';
  if (asks && given.client_ca === undefined)
    refuse(['client_certificate'], 'needs client_ca: the authorities of the certificates');
}
