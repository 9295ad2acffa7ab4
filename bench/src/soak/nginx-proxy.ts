/**
 * nginx in the soak.
 */
import { mkdirSync } from 'node:fs';
import { nginxFrame } from '../nginx-frame.ts';
import type { RowCommand, RowContext } from '../rows.ts';
import type { ProxySettings } from './proxy-settings.ts';

/** Idle upstream connections; what Cirque keeps by default. */
const UPSTREAM_KEEPALIVE = 128;

export function nginxCommand({ directory, listenPort, certificate }: RowContext, settings: ProxySettings): RowCommand {
  mkdirSync(directory, { recursive: true });
  const paths = Object.entries(settings.routes);
  const tls = settings.tls
    ? `ssl_certificate ${certificate.certFile}; ssl_certificate_key ${certificate.keyFile}; ssl_protocols TLSv1.3;`
    : '';
  const perClient = settings.maxConnectionsPerClient;
  const http = `
      ${perClient > 0 ? 'limit_conn_zone $binary_remote_addr zone=clients:1m;' : ''}
      ${paths.map(([, ports], index) => upstream(index, ports)).join('\n')}
      server {
        listen 127.0.0.1:${listenPort}${settings.tls ? ' ssl' : ''} backlog=4096; ${tls}
        client_header_timeout ${settings.headTimeoutMs}ms; client_body_timeout ${settings.bodyTimeoutMs}ms;
        send_timeout ${settings.writeTimeoutMs}ms; client_max_body_size ${settings.maxBodyBytes};
        proxy_read_timeout ${settings.upstreamTimeoutMs}ms; proxy_next_upstream error;
        proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $http_host;
        ${perClient > 0 ? `limit_conn clients ${perClient};` : ''}
        ${paths.map(([path], index) => `location ${path} { proxy_pass http://backends${index}; }`).join('\n        ')}
      }`;
  // Connections to upstreams count among them, and so does one for each listener and for the master.
  const limited = settings.maxConnections > 0 ? { workerConnections: settings.maxConnections + 8 } : {};
  return { file: 'nginx', args: nginxFrame(directory, { http, ...limited }) };
}

function upstream(index: number, ports: readonly number[]): string {
  const servers = ports.map((port) => `server 127.0.0.1:${port} max_fails=1 fail_timeout=1s;`).join(' ');
  return `upstream backends${index} {
        ${servers} keepalive ${UPSTREAM_KEEPALIVE}; keepalive_requests 1000000000; keepalive_time 24h;
      }`;
}
