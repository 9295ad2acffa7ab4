/**
 * Who takes part in the soak, and how each is started with the settings of a scene.
 */
import type { Cores } from '../machine.ts';
import type { Row, RowCommand, RowContext } from '../rows.ts';
import { cirqueCommand } from './cirque-proxy.ts';
import { haproxyCommand } from './haproxy-proxy.ts';
import { nginxCommand } from './nginx-proxy.ts';
import type { ProxySettings } from './proxy-settings.ts';

export interface Contestant {
  readonly name: 'cirque' | 'nginx' | 'haproxy';
  readonly title: string;
  readonly needs: Row['needs'];
  command(context: RowContext, settings: ProxySettings): RowCommand;
}

export const CONTESTANTS: readonly Contestant[] = [
  { name: 'cirque', title: 'Cirque', needs: 'node', command: cirqueCommand },
  { name: 'nginx', title: 'nginx', needs: 'nginx', command: nginxCommand },
  { name: 'haproxy', title: 'HAProxy', needs: 'haproxy', command: haproxyCommand },
];

/** The contestant as a row that a stage can start. */
export function rowOf({ name, title, needs, command }: Contestant, settings: ProxySettings, cores: Cores): Row {
  return {
    name,
    title,
    needs,
    memory: false,
    command(context) {
      const { file, args } = command(context, settings);
      const { maxDescriptors: own, threads } = settings;
      // Below the limit that the stage gives to all its programs, and beyond the one core.
      const limit = own < context.maxDescriptors ? ['prlimit', `--nofile=${own}:${own}`] : [];
      const place = threads > 1 ? ['taskset', '-c', `${cores.load},${cores.proxy}`] : [];
      const [first = '', ...more] = [...limit, ...place, file, ...args];
      return { file: first, args: more };
    },
  };
}
