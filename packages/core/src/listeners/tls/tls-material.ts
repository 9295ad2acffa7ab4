/**
 * Everything that TLS settings name, read from files and checked: the input of a set of contexts.
 */
import { type CertificateOptions, type LoadedCertificate, loadCertificate } from './certificate-source.ts';
import { type ClientCertificateOptions, type ClientPolicy, loadClientPolicy } from './client-certificate.ts';
import type { ResolvedTlsOptions } from './tls-options.ts';

/** One host, or the default, as it was read. */
export interface HostMaterial {
  /** Undefined for a default without a certificate. */
  readonly certificate: LoadedCertificate | undefined;
  readonly client: ClientPolicy;
}

/** All that was read in one go. */
export interface TlsMaterial {
  readonly fallback: HostMaterial;
  readonly hosts: readonly (readonly [name: string, host: HostMaterial])[];
}

/** Material that another thread has read: on the way to this one each Buffer has become a plain array of bytes. */
export function receivedMaterial({ fallback, hosts }: TlsMaterial): TlsMaterial {
  return { fallback: receivedHost(fallback), hosts: hosts.map(([name, host]) => [name, receivedHost(host)]) };
}

/** Reads all files of the options. @throws CirqueError of type TLSConfigError for the first that cannot be used. */
export async function loadMaterial(options: ResolvedTlsOptions): Promise<TlsMaterial> {
  const fallback = await loadHost('the default certificate', options.certificate, options);
  const hosts: (readonly [string, HostMaterial])[] = [];
  for (const [name, host] of Object.entries(options.hosts)) {
    hosts.push([name, await loadHost(`host ${name}`, host, clientOptionsOf(host, options))]);
  }
  return { fallback, hosts };
}

/** What a host asks of clients: its own words go before those of the settings. */
export function clientOptionsOf(
  host: ClientCertificateOptions,
  settings: ClientCertificateOptions,
): ClientCertificateOptions {
  const mode = host.clientCertificate ?? settings.clientCertificate ?? 'off';
  if (mode === 'off') return host;
  const { clientCa, clientCaFile } = host.clientCa === undefined && host.clientCaFile === undefined ? settings : host;
  return {
    clientCertificate: mode,
    ...(clientCa === undefined ? {} : { clientCa }),
    ...(clientCaFile === undefined ? {} : { clientCaFile }),
  };
}

/** What is odd but no reason to refuse it. */
export function warningsOf({ fallback, hosts }: TlsMaterial): readonly string[] {
  const all = [fallback, ...hosts.map(([, host]) => host)];
  return all.map(({ certificate }) => certificate?.warning).filter((warning) => warning !== undefined);
}

function receivedHost({ certificate, client }: HostMaterial): HostMaterial {
  const { cert, key } = certificate ?? {};
  return {
    certificate: certificate && { ...certificate, cert: receivedPem(cert), key: receivedPem(key) },
    client: { ...client, ca: client.ca.map(receivedPem) },
  };
}

function receivedPem(pem: string | Uint8Array = ''): string | Buffer {
  return typeof pem === 'string' ? pem : Buffer.from(pem);
}

async function loadHost(
  where: string,
  certificate: CertificateOptions | undefined,
  client: ClientCertificateOptions,
): Promise<HostMaterial> {
  return {
    certificate: certificate === undefined ? undefined : await loadCertificate(where, certificate),
    client: await loadClientPolicy(where, client),
  };
}
