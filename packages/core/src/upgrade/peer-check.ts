/**
 * Refuses to hand listening sockets and ticket keys to, or to take them from, another user of the machine.
 */
import { lstatSync } from 'node:fs';
import type { Sys } from '@cirque/sys';
import { upgradeError } from './upgrade-error.ts';

/** What is needed to judge who is at the other end. */
export interface PeerCheck {
  /** Users who may take part. */
  readonly uids: readonly number[];
  /** Without it the system cannot be asked, and the permissions of the socket file decide. */
  readonly sys?: Sys | undefined;
}

/**
 * Asks the system who is at the other end of a unix socket.
 *
 * @returns its process id; undefined where the system cannot be asked, or does not know that process.
 * @throws CirqueError naming both users when it is none of the allowed ones.
 */
export function checkPeer(descriptor: number | undefined, { uids, sys }: PeerCheck): number | undefined {
  if (sys === undefined || descriptor === undefined) return undefined;
  const { uid, pid } = sys.peerCredentials(descriptor);
  if (!uids.includes(uid)) {
    throw upgradeError(`the other process belongs to user ${uid}; ${allowed(uids)} may take part in this upgrade`);
  }
  return pid > 0 ? pid : undefined;
}

/**
 * Checks who has made the socket file, before it is connected to.
 *
 * @throws CirqueError when it belongs to another user; the error of the system when there is none.
 */
export function checkSocketOwner(path: string, { uids }: PeerCheck): void {
  const stats = lstatSync(path);
  if (!stats.isSocket()) throw upgradeError(`upgrade_sock: ${path} is not a socket`);
  if (!uids.includes(stats.uid)) {
    throw upgradeError(`upgrade_sock: ${path} belongs to user ${stats.uid}; ${allowed(uids)} may take part`);
  }
}

function allowed(uids: readonly number[]): string {
  return uids.length === 1 ? `only user ${uids[0]}` : `only users ${uids.join(', ')}`;
}
