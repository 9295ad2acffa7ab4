/**
 * Which user and group a server becomes: found and checked before anything is opened, so that a wrong name costs nothing.
 * Becoming it is drop-privileges.ts.
 */
import type { ServerConfiguration } from '../server/server-conf.ts';
import { type NameDatabase, systemNames } from './name-database.ts';

/** A user with a group. */
export interface Identity {
  readonly uid: number;
  readonly gid: number;
  /** The name, by which the supplementary groups are found; undefined: a number without an entry, or no other user. */
  readonly user: string | undefined;
}

/** What is known before anything changes. */
export interface Surroundings {
  /** What the process is; undefined where the system has no users. */
  readonly current: Pick<Identity, 'uid' | 'gid'> | undefined;
  readonly names: NameDatabase;
}

/** The highest number of a user or group; the one above means "none" to the system. */
const MAX_ID = 0xff_ff_ff_fe;

/**
 * Finds what `user` and `group` of the configuration name.
 *
 * @returns undefined when nothing needs to change.
 * @throws RangeError when there is no such user or group, or when the process may not become it.
 */
export function resolveIdentity(
  { user, group }: Pick<ServerConfiguration, 'user' | 'group'>,
  { current, names }: Surroundings = surroundings(),
): Identity | undefined {
  if (user === '' && group === '') return undefined;
  if (current === undefined) throw refusal(user, group, 'this system has no users that a process could become');
  const wanted = account(user, group, { ...current, user: undefined }, names);
  if (wanted.uid === current.uid && wanted.gid === current.gid) return undefined;
  if (current.uid !== 0) throw refusal(user, group, 'only root can change that: start it as root, or leave them empty');
  return wanted;
}

function account(user: string, group: string, current: Identity, names: NameDatabase): Identity {
  const gid = group === '' ? undefined : groupId(group, names);
  if (user === '') return { ...current, gid: gid ?? current.gid };
  const entry = names.user(user);
  if (entry !== undefined) return { uid: entry.uid, gid: gid ?? entry.gid, user: entry.name };
  const uid = idOf(user);
  if (uid === undefined) throw refusal(user, group, `there is no user ${JSON.stringify(user)}`);
  if (gid === undefined) throw refusal(user, group, `user ${user} has no entry that names its group: set group, too`);
  return { uid, gid, user: undefined };
}

function groupId(group: string, names: NameDatabase): number {
  const gid = names.group(group)?.gid ?? idOf(group);
  if (gid === undefined) throw refusal('', group, `there is no group ${JSON.stringify(group)}`);
  return gid;
}

function idOf(text: string): number | undefined {
  const id = /^\d{1,10}$/.test(text) ? Number(text) : undefined;
  return id !== undefined && id <= MAX_ID ? id : undefined;
}

function refusal(user: string, group: string, reason: string): RangeError {
  const given = Object.entries({ user, group }).filter(([, value]) => value !== '');
  const settings = given.map(([name, value]) => `${name} is ${JSON.stringify(value)}`).join(', ');
  return new RangeError(`configuration ${settings}: ${reason}`);
}

function surroundings(): Surroundings {
  const [uid, gid] = [process.geteuid?.(), process.getegid?.()];
  return { current: uid === undefined || gid === undefined ? undefined : { uid, gid }, names: systemNames };
}
