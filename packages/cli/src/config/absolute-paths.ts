/**
 * Makes the paths of a configuration absolute: relative ones begin in the folder of the file, wherever the program was started.
 */
import { resolve } from 'node:path';
import { absolutePaths } from '@cirque/core';
import type {
  CertificateConfig,
  DiscoveryConfig,
  GatewayConfig,
  ListenerConfig,
  ListenerTls,
  UpstreamConfig,
  UpstreamTlsConfig,
} from './gateway-config.ts';

type Absolute = (path: string) => string;

/** The configuration with absolute paths. */
export function withAbsolutePaths(config: GatewayConfig, folder: string): GatewayConfig {
  const absolute: Absolute = (path) => resolve(folder, path);
  return {
    server: absolutePaths(config.server, folder),
    control: config.control === undefined ? undefined : addressPath(config.control, absolute),
    listeners: config.listeners.map((listener) => listenerPaths(listener, absolute)),
    upstreams: Object.fromEntries(
      Object.entries(config.upstreams).map(([name, upstream]) => [name, upstreamPaths(upstream, absolute)]),
    ),
  };
}

function listenerPaths<L extends ListenerConfig>(listener: L, absolute: Absolute): L {
  const address = addressPath(listener.address, absolute);
  const name = listener.name === listener.address ? address : listener.name;
  if (listener.protocol === 'udp') return { ...listener, address, name };
  return { ...listener, address, name, tls: listener.tls && tlsPaths(listener.tls, absolute) };
}

function tlsPaths(tls: ListenerTls, absolute: Absolute): ListenerTls {
  return {
    ...tls,
    certificate: tls.certificate && certificatePaths(tls.certificate, absolute),
    hosts: Object.fromEntries(
      Object.entries(tls.hosts).map(([host, certificate]) => [host, certificatePaths(certificate, absolute)]),
    ),
    clientCa: tls.clientCa && absolute(tls.clientCa),
  };
}

function certificatePaths({ cert, key }: CertificateConfig, absolute: Absolute): CertificateConfig {
  return { cert: absolute(cert), key: absolute(key) };
}

function upstreamPaths(upstream: UpstreamConfig, absolute: Absolute): UpstreamConfig {
  return {
    ...upstream,
    discovery: discoveryPaths(upstream.discovery, absolute),
    tls: upstream.tls && upstreamTlsPaths(upstream.tls, absolute),
  };
}

function upstreamTlsPaths(tls: UpstreamTlsConfig, absolute: Absolute): UpstreamTlsConfig {
  return {
    ...tls,
    ca: tls.ca && absolute(tls.ca),
    clientCertificate: tls.clientCertificate && certificatePaths(tls.clientCertificate, absolute),
  };
}

function discoveryPaths(discovery: DiscoveryConfig, absolute: Absolute): DiscoveryConfig {
  if (discovery.kind === 'file') return { ...discovery, path: absolute(discovery.path) };
  if (discovery.kind !== 'static') return discovery;
  const servers = discovery.servers.map((one) => ({ ...one, address: addressPath(one.address, absolute) }));
  return { ...discovery, servers };
}

function addressPath(address: string, absolute: Absolute): string {
  return address.startsWith('unix:') ? `unix:${absolute(address.slice('unix:'.length))}` : address;
}
