/**
 * What `bench threads` compares: nginx and Cirque, with one thread and with two. Only data.
 */
import { join } from 'node:path';
import { nginxCommand } from '../c-proxies.ts';
import { BENCH_FOLDER } from '../places.ts';
import { nodeCommand, type RowCommand, type RowContext } from '../rows.ts';

/** What is done for each request; the same for every row of a scene. */
export type Work = 'none' | 'hash' | 'answer';

export interface Scene {
  readonly work: Work;
  readonly title: string;
}

export const SCENES: readonly Scene[] = [
  { work: 'none', title: 'a reverse proxy' },
  { work: 'answer', title: 'answers of its own, no origin' },
  { work: 'hash', title: 'a reverse proxy with a hook that takes the SHA-256 of 64 KB' },
];

export interface ThreadRow {
  readonly name: 'nginx' | 'cirque';
  readonly threads: number;
  /** Undefined: the row does not do this work. */
  command(context: RowContext, work: Work): RowCommand | undefined;
}

const SUBJECT = join(BENCH_FOLDER, 'subjects', 'threads.ts');
const FLAGS = ['--conditions=@cirque/source', '--disable-warning=ExperimentalWarning'];

function nginx(threads: number): ThreadRow {
  const command = (context: RowContext, work: Work): RowCommand | undefined =>
    work === 'none' ? nginxCommand(context, threads) : undefined;
  return { name: 'nginx', threads, command };
}

function cirque(threads: number): ThreadRow {
  const command = (context: RowContext, work: Work): RowCommand => {
    const { args, ...rest } = nodeCommand(SUBJECT, context, FLAGS);
    return { ...rest, args: [...args, '--threads', String(threads), '--work', work] };
  };
  return { name: 'cirque', threads, command };
}

export const THREAD_ROWS: readonly ThreadRow[] = [nginx(1), nginx(2), cirque(1), cirque(2)];
