/**
 * Becomes another user for good, in all threads, and makes sure that there is no way back.
 */
import { CirqueError } from '@cirque/error';
import type { Identity } from './identity.ts';

/** The calls that change who a process is; `process` where the system has users. */
export interface IdentityCalls {
  initgroups(user: string, group: number): void;
  setgroups(groups: readonly number[]): void;
  setgid(id: number): void;
  setuid(id: number): void;
  getuid(): number;
  geteuid(): number;
  getgid(): number;
  getegid(): number;
}

/**
 * Takes the supplementary groups of the user, then the group, then the user: each step needs the rights that the next one
 * gives up. The main thread only; the system applies it to all threads.
 *
 * @throws CirqueError when a step fails, or when root could be regained. The process must not go on then.
 */
export function dropPrivileges(identity: Identity, calls: IdentityCalls = process as unknown as IdentityCalls): void {
  const { uid, gid, user } = identity;
  try {
    if (user === undefined) calls.setgroups([gid]);
    else calls.initgroups(user, gid);
    calls.setgid(gid);
    calls.setuid(uid);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw CirqueError.internal('InternalError', `cannot become ${describe(identity)}: ${reason}`, cause);
  }
  verify(identity, calls);
}

function verify(identity: Identity, calls: IdentityCalls): void {
  const { uid, gid } = identity;
  const isDone = calls.getuid() === uid && calls.geteuid() === uid && calls.getgid() === gid && calls.getegid() === gid;
  if (isDone && (uid === 0 || isRefused(() => calls.setuid(0)))) return;
  throw CirqueError.internal('InternalError', `the system has not really made this process ${describe(identity)}`);
}

function isRefused(call: () => void): boolean {
  try {
    call();
    return false;
  } catch {
    return true;
  }
}

function describe({ uid, gid, user }: Identity): string {
  return `user ${user === undefined ? uid : `${user} (${uid})`}, group ${gid}`;
}
