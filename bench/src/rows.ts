/**
 * The rows of the table: every proxy that can be measured, and how it is started. One entry per row.
 *
 * Everybody listens on the given port of 127.0.0.1, forwards to the origin's port, runs on one thread, keeps
 * connections alive on both sides, and logs nothing.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nginxFrame } from './nginx-frame.ts';
import { BENCH_FOLDER, PEERS_FOLDER, PINGORA_BINARY, REPOSITORY_FOLDER } from './places.ts';

export interface RowContext {
  readonly listenPort: number;
  readonly originPort: number;
  /** Folder of this row alone, for its configuration. */
  readonly directory: string;
  readonly maxDescriptors: number;
}

export interface RowCommand {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd?: string;
}

/** What has to be there before a row can run; `install.ts` sees to it. */
export type Requirement = 'nginx' | 'haproxy' | 'npm-peers' | 'pingora' | 'node';

export interface Row {
  readonly name: string;
  readonly title: string;
  readonly needs: Requirement;
  /** Also in the measurements of memory: idle connections, a million requests. */
  readonly memory: boolean;
  /** Its hooks edit header fields as `subjects/five-hooks.ts` does, which is checked before timing. */
  readonly editsFields?: boolean;
  command(context: RowContext): RowCommand;
}

/** The subject of the benchmark, relative to a working folder. */
export const REVERSE_PROXY: string = join('examples', 'reverse-proxy', 'src', 'main.ts');

const FIVE_HOOKS = join(BENCH_FOLDER, 'subjects', 'five-hooks.ts');

/** The row that all others are compared with. */
export const REFERENCE_ROW = 'nginx';

/** Idle upstream connections for everybody that has a setting for it: enough for every load shape. */
const UPSTREAM_KEEPALIVE = 1024;

function nginxCommand(context: RowContext): RowCommand {
  mkdirSync(context.directory, { recursive: true });
  const http = `
      upstream origin {
        server 127.0.0.1:${context.originPort};
        keepalive ${UPSTREAM_KEEPALIVE}; keepalive_requests 1000000000; keepalive_time 24h; keepalive_timeout 3600s;
      }
      server {
        listen 127.0.0.1:${context.listenPort} backlog=4096;
        location / {
          proxy_pass http://origin; proxy_http_version 1.1; proxy_max_temp_file_size 0;
          proxy_set_header Connection ""; proxy_set_header Host $http_host;
        }
      }`;
  return { file: 'nginx', args: nginxFrame(context.directory, { http }) };
}

function haproxyCommand(context: RowContext): RowCommand {
  mkdirSync(context.directory, { recursive: true });
  const file = join(context.directory, 'haproxy.cfg');
  // Each connection needs two descriptors; haproxy refuses to start when maxconn promises more than the limit allows.
  const text = `global
  nbthread 1
  maxconn ${Math.floor((context.maxDescriptors - 500) / 2)}
defaults
  mode http
  http-reuse always
  timeout connect 5s
  timeout client 1h
  timeout server 1h
  timeout http-keep-alive 1h
frontend clients
  bind 127.0.0.1:${context.listenPort} backlog 4096
  default_backend origin
backend origin
  server origin 127.0.0.1:${context.originPort} pool-max-conn ${UPSTREAM_KEEPALIVE} pool-purge-delay 1h
`;
  writeFileSync(file, text);
  return { file: 'haproxy', args: ['-db', '-q', '-f', file] };
}

/** `node FILE --listen A --upstream B`, with the Node that runs the benchmark. */
export function nodeCommand(file: string, context: RowContext, flags: readonly string[] = []): RowCommand {
  const addresses = ['--listen', `127.0.0.1:${context.listenPort}`, '--upstream', `127.0.0.1:${context.originPort}`];
  return { file: process.execPath, args: [...flags, file, ...addresses] };
}

function peer(name: string, title: string, needs: Requirement = 'npm-peers'): Row {
  const file = join(PEERS_FOLDER, `${name}.mjs`);
  return { name, title, needs, memory: false, command: (context) => nodeCommand(file, context) };
}

/** A proxy of this repository, run from its sources as the examples are. */
export function cirqueRow(name: string, title: string, file: string, editsFields = false): Row {
  const command = (context: RowContext): RowCommand =>
    nodeCommand(file, context, ['--conditions=@cirque/source', '--disable-warning=ExperimentalWarning']);
  return { name, title, needs: 'node', memory: true, editsFields, command };
}

export const ROWS: readonly Row[] = [
  { name: REFERENCE_ROW, title: 'nginx', needs: 'nginx', memory: true, command: nginxCommand },
  { name: 'haproxy', title: 'HAProxy', needs: 'haproxy', memory: true, command: haproxyCommand },
  {
    name: 'pingora',
    title: 'Pingora',
    needs: 'pingora',
    memory: true,
    command: ({ listenPort, originPort }) => ({
      file: PINGORA_BINARY,
      args: [`127.0.0.1:${listenPort}`, `127.0.0.1:${originPort}`],
    }),
  },
  peer('node-pipe', 'byte pipe on node:net, no HTTP', 'node'),
  cirqueRow('cirque', 'Cirque reverse-proxy', join(REPOSITORY_FOLDER, REVERSE_PROXY)),
  cirqueRow('cirque-five-hooks', 'Cirque, five hooks that edit a header each', FIVE_HOOKS, true),
  peer('node-http-undici', 'node:http + undici dispatch, hand-written'),
  peer('node-http-agent', 'node:http + http.Agent, hand-written', 'node'),
  peer('http-proxy', 'http-proxy'),
  peer('http-proxy-3', 'http-proxy-3'),
  peer('fastify-http-proxy', '@fastify/http-proxy'),
];
