/**
 * Users and groups of the system by name or number, which Node.js cannot look up without becoming them.
 *
 * /etc/passwd and /etc/group first; what is not there is asked of getent(1), which knows directory services too.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** A user. */
export interface UserEntry {
  readonly name: string;
  readonly uid: number;
  /** The primary group. */
  readonly gid: number;
}

/** A group. */
export interface GroupEntry {
  readonly name: string;
  readonly gid: number;
}

/** Where names are looked up. Tests give their own. */
export interface NameDatabase {
  user(nameOrId: string): UserEntry | undefined;
  group(nameOrId: string): GroupEntry | undefined;
}

/** How long a directory service may take to answer, in milliseconds. */
const SERVICE_TIMEOUT_MS = 10_000;

/** Names as useradd(8) allows them, more or less; never an option for getent. */
const NAME = /^[A-Za-z0-9_][A-Za-z0-9_.@-]{0,255}\$?$/;

/** The users and groups of this system. */
export const systemNames: NameDatabase = {
  user(nameOrId) {
    const fields = find('passwd', nameOrId);
    return fields === undefined ? undefined : { name: fields[0], uid: Number(fields[2]), gid: Number(fields[3]) };
  },
  group(nameOrId) {
    const fields = find('group', nameOrId);
    return fields === undefined ? undefined : { name: fields[0], gid: Number(fields[2]) };
  },
};

/** An entry: its name, a password field, its number, and for users that of their group. */
type Fields = readonly [string, string, string, ...string[]];

function find(database: 'passwd' | 'group', nameOrId: string): Fields | undefined {
  if (!NAME.test(nameOrId)) return undefined;
  return findEntry(readText(`/etc/${database}`), nameOrId) ?? findEntry(ask(database, nameOrId), nameOrId);
}

/** The entry of this name, else of this number, in a text of the form of passwd(5) or group(5). */
export function findEntry(text: string, nameOrId: string): Fields | undefined {
  const entries = text.split('\n').map((line) => line.split(':'));
  const usable = entries.filter((fields): fields is [string, string, string, ...string[]] =>
    /^\d+$/.test(fields[2] ?? ''),
  );
  return usable.find(([name]) => name === nameOrId) ?? usable.find(([, , id]) => id === nameOrId);
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // no such file, no such names
  }
}

function ask(database: string, nameOrId: string): string {
  const { stdout } = spawnSync('getent', [database, nameOrId], { encoding: 'utf8', timeout: SERVICE_TIMEOUT_MS });
  return stdout ?? '';
}
