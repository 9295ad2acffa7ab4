import { closeSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openErrorLog } from './error-log.ts';

const isRoot = process.geteuid?.() === 0;
const owner = isRoot
  ? { uid: 65_534, gid: 65_534, user: undefined }
  : { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0, user: undefined };

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cirque-error-log-'));
  path = join(folder, 'error.log');
});
afterEach(() => rmSync(folder, { recursive: true }));

function append(text: string): void {
  const descriptor = openErrorLog(path, owner);
  writeSync(descriptor, text);
  closeSync(descriptor);
}

test('openErrorLog makes a file for the owner, and appends to it', () => {
  append('one\n');
  append('two\n');
  expect(readFileSync(path, 'utf8')).toBe('one\ntwo\n');
  const { uid, gid, mode } = statSync(path);
  expect({ uid, gid, mode: mode & 0o777 }).toEqual({ uid: owner.uid, gid: owner.gid, mode: 0o640 });
});

test.skipIf(!isRoot)('openErrorLog does not give away what a link points to', () => {
  const victim = join(folder, 'victim');
  writeFileSync(victim, '', { mode: 0o600 });
  symlinkSync(victim, path);
  append('x\n');
  expect(statSync(victim)).toMatchObject({ uid: 0, gid: 0 });
  expect(statSync(victim).mode & 0o777).toBe(0o600);
});

test('openErrorLog says what is wrong with the path', () => {
  expect(() => openErrorLog(join(folder, 'none', 'a.log'), undefined)).toThrow(
    /configuration error_log is ".*", which cannot be opened \(ENOENT\): its directory must exist/,
  );
});
