/**
 * The rows of the table: every proxy that can be measured, and how it is started. One entry per row.
 *
 * Everybody listens on the given port of 127.0.0.1, forwards to the origin's port, runs on one thread, keeps
 * connections alive on both sides, and logs nothing.
 */
import { join } from 'node:path';
import { haproxyCommand, nginxCommand } from './c-proxies.ts';
import type { CertificateFiles } from './certificate.ts';
import { BENCH_FOLDER, PEERS_FOLDER, PINGORA_BINARY, REPOSITORY_FOLDER } from './places.ts';
import { isPlain, type Traffic, usesHttp2, usesTls } from './traffic.ts';

export interface RowContext extends Traffic {
  readonly certificate: CertificateFiles;
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
export type Requirement = 'nginx' | 'nginx-stream' | 'haproxy' | 'npm-peers' | 'pingora' | 'node';

export interface Row {
  readonly name: string;
  readonly title: string;
  readonly needs: Requirement;
  /** Also in the measurements of memory: idle connections, a million requests. */
  readonly memory: boolean;
  /** Its hooks edit header fields as `subjects/five-hooks.ts` does, which is checked before timing. */
  readonly editsFields?: boolean;
  /** Default: plain HTTP/1.1 on both sides only. */
  readonly speaks?: (traffic: Traffic) => boolean;
  command(context: RowContext): RowCommand;
}

/** The subject of the benchmark, relative to a working folder. */
export const REVERSE_PROXY: string = join('examples', 'reverse-proxy', 'src', 'main.ts');

const FIVE_HOOKS = join(BENCH_FOLDER, 'subjects', 'five-hooks.ts');

/** The row that all others are compared with. */
export const REFERENCE_ROW = 'nginx';

/** True when the row can stand between such clients and such an origin. */
export function speaks(row: Row, traffic: Traffic): boolean {
  return row.speaks?.(traffic) ?? isPlain(traffic);
}

/** `node FILE --listen A --upstream B`, with the Node that runs the benchmark. */
export function nodeCommand(file: string, context: RowContext, flags: readonly string[] = []): RowCommand {
  const addresses = ['--listen', `127.0.0.1:${context.listenPort}`, '--upstream', `127.0.0.1:${context.originPort}`];
  const { certFile, keyFile } = context.certificate;
  const protocols = isPlain(context) ? [] : ['--client', context.client, '--origin', context.origin];
  const certificate = usesTls(context.client) ? ['--cert', certFile, '--key', keyFile] : [];
  return { file: process.execPath, args: [...flags, file, ...addresses, ...protocols, ...certificate] };
}

function peer(
  name: string,
  title: string,
  needs: Requirement = 'npm-peers',
  speaks: (traffic: Traffic) => boolean = isPlain,
): Row {
  const file = join(PEERS_FOLDER, `${name}.mjs`);
  return { name, title, needs, memory: false, speaks, command: (context) => nodeCommand(file, context) };
}

/** Clients of HTTP/1.1, with or without TLS, and a plain origin. */
const http1Clients = ({ client, origin }: Traffic): boolean => !usesHttp2(client) && origin === 'http';
/** Clients of HTTP/2, and a plain origin. */
const http2Clients = ({ client, origin }: Traffic): boolean => usesHttp2(client) && origin === 'http';

/** A proxy of this repository, run from its sources as the examples are. */
export function cirqueRow(name: string, title: string, file: string, editsFields = false): Row {
  const command = (context: RowContext): RowCommand =>
    nodeCommand(file, context, ['--conditions=@cirque/source', '--disable-warning=ExperimentalWarning']);
  return { name, title, needs: 'node', memory: true, editsFields, command };
}

/** The example where it has all that is needed, else a gateway that differs from it in protocols only. */
function cirque(): Row {
  const plain = cirqueRow('cirque', 'Cirque reverse-proxy', join(REPOSITORY_FOLDER, REVERSE_PROXY));
  const gateway = cirqueRow('cirque', plain.title, join(BENCH_FOLDER, 'subjects', 'gateway.ts'));
  return {
    ...plain,
    speaks: () => true,
    command: (context) => (isPlain(context) ? plain : gateway).command(context),
  };
}

export const ROWS: readonly Row[] = [
  {
    name: REFERENCE_ROW,
    title: 'nginx',
    needs: 'nginx',
    memory: true,
    // To an HTTP/2 origin nginx speaks only gRPC.
    speaks: ({ client, origin }) => origin === 'http' || usesHttp2(client),
    command: nginxCommand,
  },
  {
    name: 'haproxy',
    title: 'HAProxy',
    needs: 'haproxy',
    memory: true,
    speaks: () => true,
    command: haproxyCommand,
  },
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
  cirque(),
  cirqueRow('cirque-five-hooks', 'Cirque, five hooks that edit a header each', FIVE_HOOKS, true),
  peer('node-http-undici', 'node:http + undici dispatch, hand-written'),
  peer('node-http-agent', 'node:http + http.Agent, hand-written', 'node', http1Clients),
  peer('node-http2-core', 'node:http2 streams + http.Agent, hand-written', 'node', http2Clients),
  peer('node-http2-compat', 'node:http2 compat API + http.Agent, hand-written', 'node', http2Clients),
  peer(
    'node-http2-upstream',
    'node:http or node:http2 + node:http2 client, hand-written',
    'node',
    ({ origin }) => origin === 'h2c',
  ),
  peer('http-proxy', 'http-proxy', 'npm-peers', http1Clients),
  peer('http-proxy-3', 'http-proxy-3'),
  peer('fastify-http-proxy', '@fastify/http-proxy'),
];
