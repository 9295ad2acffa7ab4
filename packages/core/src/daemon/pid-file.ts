/**
 * The file with the process id of a daemon: replaced whole, and removed by nobody but the process that it names.
 */
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  ftruncateSync,
  linkSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { codeOfError } from '../listeners/bind-error.ts';
import { isAlive } from '../upgrade/process-alive.ts';
import type { Identity } from './identity.ts';

/** The pid file of this process. */
export interface PidFile {
  /** Removes it, or empties it where that is not allowed any more. Leaves alone the file of a successor. Never throws. */
  remove(): void;
  /** This process does not serve after all: the file names the one that it named before. Without one, {@link remove}. */
  giveBack(): void;
}

/** For whom it is written. */
export interface PidFileOptions {
  /** Who may empty it later; undefined: the user who writes it. */
  readonly owner?: Identity | undefined;
  /** Default: that of this process. */
  readonly pid?: number;
}

/** Others read it to send signals. */
const MODE = 0o644;

/**
 * Writes the pid file, in the place of the one that is there: readers see the old one or the new one, never a part. A link
 * is replaced, not followed. Where only the file, but not its directory, may be written, it is written over.
 *
 * @throws RangeError naming setting, path and reason.
 */
export function writePidFile(path: string, { owner, pid = process.pid }: PidFileOptions = {}): PidFile {
  const before = pidIn(path);
  try {
    write(path, `${pid}\n`, owner);
  } catch (error) {
    throw new RangeError(
      `configuration pidFile is ${JSON.stringify(path)}, which cannot be written (${codeOfError(error)}): its directory must exist, and be writable`,
      { cause: error },
    );
  }
  const giveBack = (): void => {
    if (before === undefined || !isAlive(before)) remove(path, pid);
    else if (names(path, pid)) attempt(() => write(path, `${before}\n`, owner));
  };
  return { remove: () => remove(path, pid), giveBack };
}

function write(path: string, text: string, owner: Identity | undefined): void {
  try {
    replace(path, text, owner);
  } catch (error) {
    // A successor without the rights of root, in a directory of root: the file itself belongs to its user.
    if (codeOfError(error) !== 'EACCES' || !overwrite(path, text)) throw error;
  }
}

function replace(path: string, text: string, owner: Identity | undefined): void {
  const temporary = nameBeside(path);
  const descriptor = openSync(temporary, 'wx', MODE);
  try {
    writeSync(descriptor, text);
    fchmodSync(descriptor, MODE); // whatever the umask says
    if (owner !== undefined) fchownSync(descriptor, owner.uid, owner.gid);
    renameSync(temporary, path);
  } catch (error) {
    unlinkSync(temporary);
    throw error;
  } finally {
    closeSync(descriptor);
  }
}

/** Never empty in between. False where there is no file that may be written. */
function overwrite(path: string, text: string): boolean {
  try {
    const descriptor = openSync(path, constants.O_WRONLY | constants.O_NOFOLLOW);
    try {
      writeSync(descriptor, text, 0);
      ftruncateSync(descriptor, text.length);
    } finally {
      closeSync(descriptor);
    }
    return true;
  } catch {
    return false;
  }
}

function remove(path: string, pid: number): void {
  if (!names(path, pid)) return;
  const aside = nameBeside(path);
  try {
    renameSync(path, aside);
  } catch {
    empty(path, pid); // the directory belongs to somebody else: rights have been given up
    return;
  }
  if (!names(aside, pid)) putBack(aside, path);
  attempt(() => unlinkSync(aside));
}

/** A successor has written its file between our look and our move. */
function putBack(aside: string, path: string): void {
  attempt(() => linkSync(aside, path)); // fails when there is a newer one still
}

/** By descriptor, so that the file that is emptied is the one that was looked at. */
function empty(path: string, pid: number): void {
  attempt(() => {
    const descriptor = openSync(path, constants.O_RDWR | constants.O_NOFOLLOW);
    try {
      if (isOf(readFileSync(descriptor, 'latin1'), pid)) ftruncateSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  });
}

function names(path: string, pid: number): boolean {
  return pidIn(path) === pid;
}

/** The process that the file names; undefined where it names none. Links, pipes and devices are not read. */
function pidIn(path: string): number | undefined {
  const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;
  const start = Buffer.alloc(32);
  attempt(() => {
    const descriptor = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    try {
      if (fstatSync(descriptor).isFile()) readSync(descriptor, start);
    } finally {
      closeSync(descriptor);
    }
  });
  const digits = /^\s*([1-9]\d{0,9})\s*\0/.exec(start.toString('latin1'))?.[1];
  return digits === undefined ? undefined : Number(digits);
}

function isOf(text: string, pid: number): boolean {
  return text.trim() === String(pid);
}

/** A hidden name in the same directory, which a rename can reach. */
function nameBeside(path: string): string {
  return join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}`);
}

/** At the end of a process nobody can be told, and nothing depends on it. */
function attempt(step: () => void): void {
  try {
    step();
  } catch {
    // see above
  }
}
