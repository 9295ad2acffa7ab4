/**
 * The proxies of layer 4 that are measured, and how each is started. One entry per row.
 *
 * Everybody listens on one port of 127.0.0.1, runs on one thread and logs nothing.
 */
import { join } from 'node:path';
import { BENCH_FOLDER, PEERS_FOLDER } from '../places.ts';
import type { Requirement, RowCommand } from '../rows.ts';
import { cirqueRunCommand, haproxyTcpCommand, type L4Context, nginxStreamCommand } from './l4-configs.ts';
import type { L4Shape } from './l4-shapes.ts';

export interface L4Row {
  readonly name: string;
  readonly title: string;
  readonly needs: Requirement;
  /** Default: everything. */
  carries?(shape: L4Shape): boolean;
  command(context: L4Context): RowCommand;
}

/** The row that all others are compared with. */
export const L4_REFERENCE = 'nginx';

const SUBJECT = join(BENCH_FOLDER, 'subjects', 'l4.ts');
const FLAGS = ['--conditions=@cirque/source', '--disable-warning=ExperimentalWarning'];

const isUdp = ({ duty }: L4Shape): boolean => duty === 'udp' || duty === 'udp-one-answer';

function addresses({ listenPort, upstreamPort }: L4Context): string[] {
  return ['--listen', `127.0.0.1:${listenPort}`, '--upstream', `127.0.0.1:${upstreamPort}`];
}

/** A program that is told its duty, too. */
function program(file: string, flags: readonly string[] = []): L4Row['command'] {
  return (context) => {
    const duty = ['--duty', context.duty, '--second', `127.0.0.1:${context.secondPort}`];
    return { file: process.execPath, args: [...flags, file, ...addresses(context), ...duty] };
  };
}

export const L4_ROWS: readonly L4Row[] = [
  {
    name: L4_REFERENCE,
    title: 'nginx stream',
    needs: 'nginx-stream',
    command: (context) => nginxStreamCommand(context),
  },
  {
    name: 'nginx-128k',
    title: 'nginx stream, proxy_buffer_size 128k',
    needs: 'nginx-stream',
    carries: ({ load }) => load.kind === 'bulk',
    command: (context) => nginxStreamCommand(context, 131_072),
  },
  {
    name: 'haproxy',
    title: 'HAProxy, mode tcp',
    needs: 'haproxy',
    carries: (shape) => !isUdp(shape),
    command: haproxyTcpCommand,
  },
  {
    name: 'node-pipe',
    title: 'byte pipe on node:net',
    needs: 'node',
    carries: ({ duty }) => duty === 'tcp',
    command: (context) => ({
      file: process.execPath,
      args: [join(PEERS_FOLDER, 'node-pipe.mjs'), ...addresses(context)],
    }),
  },
  {
    name: 'node-relay',
    title: 'relay on node:dgram, no timeouts',
    needs: 'node',
    carries: isUdp,
    command: program(join(PEERS_FOLDER, 'node-udp-relay.mjs')),
  },
  { name: 'cirque', title: 'Cirque, @cirque/stream', needs: 'node', command: program(SUBJECT, FLAGS) },
  {
    name: 'cirque-run',
    title: 'Cirque, `cirque run` with a file',
    needs: 'node',
    command: (context) => cirqueRunCommand(context, FLAGS),
  },
  {
    name: 'cirque-run-young',
    title: 'the same, node --no-allocation-site-pretenuring',
    needs: 'node',
    carries: ({ unit }) => unit === 'connection',
    command: (context) => cirqueRunCommand(context, ['--no-allocation-site-pretenuring', ...FLAGS]),
  },
];
