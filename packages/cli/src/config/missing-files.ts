/**
 * Files that a configuration names and that cannot be read: certificates, keys, authorities, lists of servers.
 */
import { accessSync, constants, statSync } from 'node:fs';
import type { DocumentPath } from './document-path.ts';
import type { GatewayConfig, ListenerConfig, UpstreamConfig } from './gateway-config.ts';
import type { GatewayProblem } from './gateway-config-error.ts';
import type { YamlSource } from './yaml-source.ts';

interface NamedFile {
  readonly path: DocumentPath;
  readonly file: string | undefined;
}

/** A problem for each file that is not there, or that this user may not read. */
export function missingFiles(config: GatewayConfig, source: YamlSource): GatewayProblem[] {
  const files: NamedFile[] = [
    { path: ['ca_file'], file: config.server.caFile || undefined },
    ...config.listeners.flatMap((listener, index) => listenerFiles(listener, ['listeners', index, 'tls'])),
    ...Object.values(config.upstreams).flatMap((upstream) => upstreamFiles(upstream, ['upstreams', upstream.name])),
  ];
  return files.flatMap(({ path, file }) => {
    const reason = file === undefined ? undefined : unreadable(file);
    return reason === undefined ? [] : [source.at(path, `names ${source.shown(path)}, a file that ${reason}`)];
  });
}

function listenerFiles(listener: ListenerConfig, path: DocumentPath): NamedFile[] {
  const tls = 'tls' in listener ? listener.tls : undefined;
  if (tls === undefined) return [];
  return [
    { path: [...path, 'cert'], file: tls.certificate?.cert },
    { path: [...path, 'key'], file: tls.certificate?.key },
    { path: [...path, 'client_ca'], file: tls.clientCa },
    ...Object.entries(tls.hosts).flatMap(([host, { cert, key }]) => [
      { path: [...path, 'hosts', host, 'cert'], file: cert },
      { path: [...path, 'hosts', host, 'key'], file: key },
    ]),
  ];
}

function upstreamFiles({ tls, discovery }: UpstreamConfig, path: DocumentPath): NamedFile[] {
  const certificate = [...path, 'tls', 'client_certificate'];
  return [
    { path: [...path, 'file'], file: discovery.kind === 'file' ? discovery.path : undefined },
    { path: [...path, 'tls', 'ca'], file: tls?.ca },
    { path: [...certificate, 'cert'], file: tls?.clientCertificate?.cert },
    { path: [...certificate, 'key'], file: tls?.clientCertificate?.key },
  ];
}

function unreadable(file: string): string | undefined {
  try {
    if (statSync(file).isDirectory()) return 'is a folder';
    accessSync(file, constants.R_OK);
    return undefined;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' ? 'is not there' : `cannot be read (${code})`;
  }
}
