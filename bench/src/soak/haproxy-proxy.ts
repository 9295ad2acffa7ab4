/**
 * HAProxy in the soak.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RowCommand, RowContext } from '../rows.ts';
import type { ProxySettings } from './proxy-settings.ts';

export function haproxyCommand(context: RowContext, settings: ProxySettings): RowCommand {
  mkdirSync(context.directory, { recursive: true });
  const file = join(context.directory, 'haproxy.cfg');
  writeFileSync(file, configuration(context, settings));
  return { file: 'haproxy', args: ['-db', '-q', '-f', file] };
}

function configuration({ listenPort, certificate }: RowContext, settings: ProxySettings): string {
  const paths = Object.entries(settings.routes);
  const { maxConnections, maxConnectionsPerClient: perClient, maxBodyBytes } = settings;
  // Without a maxconn it derives one from its limit of descriptors.
  return `global
  nbthread 1
defaults
  mode http
  http-reuse always
  retries 3
  option redispatch 1
  retry-on conn-failure empty-response
  timeout connect 5s
  timeout http-request ${settings.headTimeoutMs}
  timeout client ${Math.min(settings.bodyTimeoutMs, settings.writeTimeoutMs)}
  timeout server ${settings.upstreamTimeoutMs}
  timeout http-keep-alive 1h
frontend clients
  bind 127.0.0.1:${listenPort} backlog 4096 ${settings.tls ? `ssl crt ${certificate.bothFile} ssl-min-ver TLSv1.3` : ''}
  ${maxConnections > 0 ? `maxconn ${maxConnections}` : ''}
  ${perClient > 0 ? `stick-table type ip size 1k store conn_cur\n  tcp-request connection track-sc0 src\n  tcp-request connection reject if { sc0_conn_cur gt ${perClient} }` : ''}
  ${maxBodyBytes > 0 ? `http-request deny deny_status 413 if { req.body_size gt ${maxBodyBytes} }` : ''}
  ${paths.map(([path], index) => `use_backend backends${index} if { path_beg ${path} }`).join('\n  ')}
${paths.map(([, ports], index) => backend(index, ports, settings.healthCheckMs)).join('\n')}
`;
}

function backend(index: number, ports: readonly number[], healthCheckMs: number): string {
  const check = healthCheckMs > 0 ? `check inter ${healthCheckMs} fall 1 rise 1` : '';
  const servers = ports.map((port, place) => `  server backend${place} 127.0.0.1:${port} ${check}`);
  return [`backend backends${index}`, ...servers].join('\n');
}
