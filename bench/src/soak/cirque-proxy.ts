/**
 * Cirque in the soak: the gateway of the end-to-end tests, run from its sources, told by a configuration file.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY_FOLDER } from '../places.ts';
import type { RowCommand, RowContext } from '../rows.ts';
import type { ProxySettings } from './proxy-settings.ts';

const GATEWAY = join(REPOSITORY_FOLDER, 'e2e', 'stress', 'gateway.ts');

export function cirqueCommand(context: RowContext, settings: ProxySettings): RowCommand {
  const { directory } = context;
  mkdirSync(directory, { recursive: true });
  const file = join(directory, 'conf.yaml');
  // JSON is YAML.
  writeFileSync(file, JSON.stringify(configuration(context, settings), undefined, 2));
  const flags = ['--conditions=@cirque/source', '--disable-warning=ExperimentalWarning', '--expose-gc'];
  return { file: process.execPath, args: [...flags, GATEWAY, '-c', file] };
}

/** See `StressSettings` in e2e/stress/gateway.ts. */
function configuration({ directory, listenPort, certificate }: RowContext, settings: ProxySettings): object {
  const { headTimeoutMs, bodyTimeoutMs, writeTimeoutMs, upstreamTimeoutMs, maxConnections, healthCheckMs } = settings;
  const { certFile, keyFile } = certificate;
  const routes = Object.entries(settings.routes).map(([path, ports]) => [
    path,
    ports.map((port) => `127.0.0.1:${port}`),
  ]);
  const { maxConnectionsPerClient } = settings;
  return {
    log_level: 'warn',
    threads: settings.threads,
    pid_file: join(directory, 'cirque.pid'),
    upgrade_sock: join(directory, 'upgrade.sock'),
    stress: {
      listen: `127.0.0.1:${listenPort}`,
      routes: Object.fromEntries(routes),
      peer: { readTimeoutMs: upstreamTimeoutMs },
      service: {
        server: { headTimeoutMs, readTimeoutMs: bodyTimeoutMs, writeTimeoutMs, idleTimeoutMs: 3_600_000 },
        maxRequestBodyBytes: settings.maxBodyBytes,
        ...(maxConnections > 0 ? { maxConnections } : {}),
        ...(maxConnectionsPerClient > 0 ? { maxConnectionsPerClient } : {}),
      },
      ...(healthCheckMs > 0 ? { healthCheckMs } : {}),
      ...(settings.tls
        ? { tls: { certificate: { certFile, keyFile }, minVersion: 'TLSv1.3', handshakeTimeoutMs: headTimeoutMs } }
        : {}),
    },
  };
}
