/**
 * Configurations of nginx and HAProxy as proxies, for every pair of protocols that they speak.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nginxFrame } from './nginx-frame.ts';
import type { RowCommand, RowContext } from './rows.ts';
import { TLS_CIPHER, TLS_GROUP, usesHttp2, usesTls } from './traffic.ts';

/** Idle upstream connections for everybody that has a setting for it: enough for every load shape. */
const UPSTREAM_KEEPALIVE = 1024;

/** @param workers processes, each with a listening socket of its own where there are several. */
export function nginxCommand(context: RowContext, workers = 1): RowCommand {
  const { client, origin, certificate, directory, listenPort, originPort } = context;
  mkdirSync(directory, { recursive: true });
  const flags = `${workers > 1 ? ' reuseport' : ''}${usesTls(client) ? ' ssl' : ''}${usesHttp2(client) ? ' http2' : ''}`;
  const tls = usesTls(client)
    ? `ssl_certificate ${certificate.certFile}; ssl_certificate_key ${certificate.keyFile}; ssl_protocols TLSv1.3;
          ssl_conf_command Ciphersuites ${TLS_CIPHER}; ssl_ecdh_curve ${TLS_GROUP}; ssl_session_tickets off;`
    : '';
  const forward =
    origin === 'h2c'
      ? 'grpc_pass grpc://origin; grpc_set_header Host $http_host;'
      : `proxy_pass http://origin; proxy_http_version 1.1; proxy_max_temp_file_size 0;
          proxy_set_header Connection ""; proxy_set_header Host $http_host;`;
  const http = `
      upstream origin {
        server 127.0.0.1:${originPort};
        keepalive ${UPSTREAM_KEEPALIVE}; keepalive_requests 1000000000; keepalive_time 24h; keepalive_timeout 3600s;
      }
      server {
        listen 127.0.0.1:${listenPort}${flags} backlog=4096; ${tls}
        location / {
          ${forward}
        }
      }`;
  return { file: 'nginx', args: nginxFrame(directory, { http, workers }) };
}

export function haproxyCommand(context: RowContext): RowCommand {
  const { client, origin, certificate, directory, listenPort, originPort, maxDescriptors } = context;
  mkdirSync(directory, { recursive: true });
  const file = join(directory, 'haproxy.cfg');
  const tls = `ssl crt ${certificate.bothFile} alpn ${client === 'h2' ? 'h2' : 'http/1.1'} ssl-min-ver TLSv1.3 ciphersuites ${TLS_CIPHER} curves ${TLS_GROUP} no-tls-tickets`;
  const accept = usesTls(client) ? tls : client === 'h2c' ? 'proto h2' : '';
  // Each connection needs two descriptors; haproxy refuses to start when maxconn promises more than the limit allows.
  const text = `global
  nbthread 1
  maxconn ${Math.floor((maxDescriptors - 500) / 2)}
defaults
  mode http
  http-reuse always
  timeout connect 5s
  timeout client 1h
  timeout server 1h
  timeout http-keep-alive 1h
frontend clients
  bind 127.0.0.1:${listenPort} backlog 4096 ${accept}
  default_backend origin
backend origin
  server origin 127.0.0.1:${originPort} pool-max-conn ${UPSTREAM_KEEPALIVE} pool-purge-delay 1h ${origin === 'h2c' ? 'proto h2' : ''}
`;
  writeFileSync(file, text);
  return { file: 'haproxy', args: ['-db', '-q', '-f', file] };
}
