/**
 * Configurations of nginx, HAProxy and `cirque run` for the duties of layer 4. Nothing is logged, one worker each.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { NGINX_STREAM_MODULE, REPOSITORY_FOLDER } from '../places.ts';
import type { RowCommand } from '../rows.ts';
import { type L4Duty, SERVER_NAMES } from './l4-shapes.ts';

/** What a proxy is told. */
export interface L4Context {
  readonly duty: L4Duty;
  readonly listenPort: number;
  /** The upstream; by duty `sni` the one of the first server name. */
  readonly upstreamPort: number;
  /** The one of the second server name. */
  readonly secondPort: number;
  /** Folder of this proxy alone. */
  readonly directory: string;
  readonly maxDescriptors: number;
}

function write({ directory }: L4Context, name: string, text: string): string {
  mkdirSync(directory, { recursive: true });
  const file = join(directory, name);
  writeFileSync(file, text);
  return file;
}

/** @param bufferBytes of `proxy_buffer_size`; default: nginx's own, 16 KB. */
export function nginxStreamCommand(context: L4Context, bufferBytes?: number): RowCommand {
  const { duty, listenPort, upstreamPort, secondPort, directory } = context;
  const [first, second] = SERVER_NAMES;
  const names = `map $ssl_preread_server_name $chosen { ${first} 127.0.0.1:${upstreamPort}; ${second} 127.0.0.1:${secondPort}; }`;
  const isUdp = duty === 'udp' || duty === 'udp-one-answer';
  const file = write(
    context,
    'nginx.conf',
    `load_module ${NGINX_STREAM_MODULE};
    ${process.getuid?.() === 0 ? 'user root;' : ''}
    daemon off; worker_processes 1; pid ${join(directory, 'nginx.pid')}; error_log ${join(directory, 'error.log')} error;
    events { worker_connections 30000; }
    stream {
      ${duty === 'sni' ? names : ''}
      server {
        listen 127.0.0.1:${listenPort} ${isUdp ? 'udp' : 'backlog=4096'};
        proxy_timeout 60s; ${isUdp ? '' : 'proxy_half_close on;'}
        ${bufferBytes === undefined ? '' : `proxy_buffer_size ${bufferBytes};`}
        ${duty === 'udp-one-answer' ? 'proxy_responses 1;' : ''}
        ${duty === 'sni' ? 'ssl_preread on; proxy_pass $chosen;' : `proxy_pass 127.0.0.1:${upstreamPort};`}
      }
    }\n`,
  );
  return { file: 'nginx', args: ['-p', directory, '-e', join(directory, 'error.log'), '-c', file] };
}

/** HAProxy passes no UDP. */
export function haproxyTcpCommand(context: L4Context): RowCommand {
  const { duty, listenPort, upstreamPort, secondPort, maxDescriptors } = context;
  const [first, second] = SERVER_NAMES;
  const choice = `tcp-request inspect-delay 5s
  tcp-request content accept if { req_ssl_hello_type 1 }
  use_backend first if { req_ssl_sni -i ${first} }
  use_backend second if { req_ssl_sni -i ${second} }`;
  const file = write(
    context,
    'haproxy.cfg',
    `global
  nbthread 1
  maxconn ${Math.floor((maxDescriptors - 500) / 2)}
defaults
  mode tcp
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend clients
  bind 127.0.0.1:${listenPort} backlog 4096
  ${duty === 'sni' ? choice : 'default_backend first'}
backend first
  server only 127.0.0.1:${upstreamPort}
backend second
  server only 127.0.0.1:${secondPort}
`,
  );
  return { file: 'haproxy', args: ['-db', '-q', '-f', file] };
}

/** The command `cirque` with a file, from the sources. */
export function cirqueRunCommand(context: L4Context, nodeFlags: readonly string[]): RowCommand {
  const file = write(context, 'cirque.yaml', gatewayFile(context));
  const program = join(REPOSITORY_FOLDER, 'packages', 'cli', 'src', 'bin.ts');
  return { file: process.execPath, args: [...nodeFlags, program, 'run', '-c', file] };
}

function gatewayFile({ duty, listenPort, upstreamPort, secondPort, directory }: L4Context): string {
  const [first, second] = SERVER_NAMES;
  const isUdp = duty === 'udp' || duty === 'udp-one-answer';
  const route =
    duty === 'sni'
      ? `routes: [{ sni: ${first}, upstream: first }, { sni: ${second}, upstream: second }]`
      : 'upstream: first';
  return `pid_file: ${join(directory, 'cirque.pid')}
upgrade_sock: ${join(directory, 'upgrade.sock')}
listeners:
  - name: measured
    protocol: ${isUdp ? 'udp' : 'tcp'}
    address: 127.0.0.1:${listenPort}
    ${route}
    ${duty === 'udp-one-answer' ? 'responses: 1' : ''}
upstreams:
  first: [127.0.0.1:${upstreamPort}]
  ${duty === 'sni' ? `second: [127.0.0.1:${secondPort}]` : ''}
`;
}
