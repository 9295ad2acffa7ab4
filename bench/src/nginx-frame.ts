/**
 * The part of an nginx configuration that origin and proxy have in common: one worker, no log, endless keep-alive.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface NginxFrame {
  /** What stands inside `http { }`. */
  readonly http: string;
  /** Default 1. */
  readonly workers?: number;
  /** Connections to clients and upstreams together. Default 30,000. */
  readonly workerConnections?: number;
}

/** Writes `nginx.conf` under `directory`; answers the arguments for nginx. */
export function nginxFrame(directory: string, frame: NginxFrame): string[] {
  mkdirSync(join(directory, 'temporary'), { recursive: true });
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((kind) => `${kind}_temp_path ${join(directory, 'temporary', kind)};`)
    .join(' ');
  // Workers started by root would become nobody, who cannot read the files of this run.
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  const text = `
    ${user}
    daemon off; worker_processes ${frame.workers ?? 1};
    pid ${join(directory, 'nginx.pid')}; error_log ${join(directory, 'error.log')} error;
    events { worker_connections ${frame.workerConnections ?? 30_000}; }
    http {
      access_log off; ${temporary}
      keepalive_timeout 3600s; keepalive_requests 1000000000; keepalive_time 24h;
      client_body_timeout 3600s; client_header_timeout 3600s; send_timeout 3600s;
      ${frame.http}
    }
  `;
  const file = join(directory, 'nginx.conf');
  writeFileSync(file, text);
  return ['-p', directory, '-e', join(directory, 'error.log'), '-c', file];
}
