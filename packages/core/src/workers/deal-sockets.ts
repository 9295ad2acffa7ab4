/**
 * Shares inherited listening sockets out among worker threads.
 */
import { fstatSync } from 'node:fs';
import type { Sys } from '@cirque/sys';
import type { SocketRecord } from '../sockets/socket-record.ts';

/**
 * One list of sockets for each worker. Of each address, socket j goes to worker j modulo `count`; every socket gets an
 * owner, because one that nobody accepts on would swallow its share of the connections.
 *
 * Workers for whom none is left bind the address again, which the system allows the same user only when the sockets that
 * are there allow it too: that is switched on here. Where it does not work, those workers share the sockets of others.
 */
export function dealSockets(records: readonly SocketRecord[], count: number, sys: Sys | undefined): SocketRecord[][] {
  const hands: SocketRecord[][] = Array.from({ length: count }, () => []);
  for (const group of groupsOf(records)) {
    for (const [position, record] of group.entries()) hands[position % count]?.push(record);
    if (sys === undefined || group.length >= count) continue;
    if (group.every((record) => allowsOthers(record, sys))) continue;
    for (let index = group.length; index < count; index += 1) {
      const shared = group[index % group.length] as SocketRecord;
      hands[index]?.push({ ...shared, fd: sys.dup(shared.fd) });
    }
  }
  return hands;
}

/** An address of which a service manager has opened fewer sockets than `count`; undefined when there is none. */
export function scarceAddress(records: readonly SocketRecord[], count: number): string | undefined {
  const opened = records.filter(({ kind, service }) => kind === 'tcp' && service === '');
  return [...groupsOf(opened)].find((group) => group.length < count)?.[0]?.bound;
}

function groupsOf(records: readonly SocketRecord[]): Iterable<readonly SocketRecord[]> {
  const groups = new Map<string, SocketRecord[]>();
  for (const record of records) {
    const key = `${record.kind} ${record.bound}`;
    groups.set(key, [...(groups.get(key) ?? []), record]);
  }
  return groups.values();
}

/** True when this process may bind the address of the socket again. */
function allowsOthers({ kind, fd }: SocketRecord, sys: Sys): boolean {
  if (kind === 'unix' || fstatSync(fd).uid !== process.geteuid?.()) return false;
  try {
    if (sys.getSocketOption(fd, 'SO_REUSEPORT') === 0) sys.setSocketOption(fd, 'SO_REUSEPORT', 1);
    return true;
  } catch {
    return false;
  }
}
