/**
 * Who takes part in the soak, and how each is started with the settings of a scene.
 */
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
export function rowOf({ name, title, needs, command }: Contestant, settings: ProxySettings): Row {
  return {
    name,
    title,
    needs,
    memory: false,
    command(context) {
      const { file, args, ...rest } = command(context, settings);
      const { maxDescriptors: own } = settings;
      // Below the limit that the stage gives to all its programs.
      return own >= context.maxDescriptors
        ? { file, args, ...rest }
        : { file: 'prlimit', args: [`--nofile=${own}:${own}`, file, ...args], ...rest };
    },
  };
}
