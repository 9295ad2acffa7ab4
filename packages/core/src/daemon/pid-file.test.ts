import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { writePidFile } from './pid-file.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cirque-pid-'));
  path = join(folder, 'server.pid');
});
afterEach(() => rmSync(folder, { recursive: true }));

test('writePidFile writes the process id for all to read, and remove takes it away', () => {
  const umask = process.umask(0o077);
  try {
    const file = writePidFile(path);
    expect(readFileSync(path, 'utf8')).toBe(`${process.pid}\n`);
    expect(statSync(path).mode & 0o777).toBe(0o644);
    expect(readdirSync(folder)).toEqual(['server.pid']);
    file.remove();
    expect(readdirSync(folder)).toEqual([]);
  } finally {
    process.umask(umask);
  }
});

test('writePidFile replaces the file of a predecessor, which then leaves it alone', () => {
  const old = writePidFile(path, { pid: 111 });
  const next = writePidFile(path, { pid: 222 });
  old.remove();
  expect(readFileSync(path, 'utf8')).toBe('222\n');
  next.remove();
  expect(readdirSync(folder)).toEqual([]);
});

test('giveBack names the living process again that was named before', () => {
  writePidFile(path, { pid: process.pid });
  const next = writePidFile(path, { pid: 222 });
  next.giveBack();
  expect(readFileSync(path, 'utf8')).toBe(`${process.pid}\n`);
  next.giveBack(); // it is not ours any more
  expect(readdirSync(folder)).toEqual(['server.pid']);
});

test('giveBack removes the file where nobody was named before, or nobody who lives', () => {
  writePidFile(path).giveBack();
  expect(readdirSync(folder)).toEqual([]);
  writeFileSync(path, '4194305\n'); // above the highest process id of Linux
  writePidFile(path).giveBack();
  expect(readdirSync(folder)).toEqual([]);
});

test.each(['/dev/zero', '/dev/null'])('writePidFile does not read %s, to which its path may be a link', (target) => {
  symlinkSync(target, path);
  writePidFile(path, { pid: 12 }).remove();
  expect(readdirSync(folder)).toEqual([]);
});

test('writePidFile replaces a link, and leaves what it points to alone', () => {
  const victim = join(folder, 'victim');
  writeFileSync(victim, 'precious');
  symlinkSync(victim, path);
  writePidFile(path);
  expect(readFileSync(victim, 'utf8')).toBe('precious');
  expect(lstatSync(path).isSymbolicLink()).toBe(false);
});

test('remove leaves alone what is not a pid file of this process', () => {
  const file = writePidFile(path, { pid: 12 });
  writeFileSync(path, '123\n');
  file.remove();
  expect(readFileSync(path, 'utf8')).toBe('123\n');
});

test('remove may be called twice, and when the file or its directory is gone', () => {
  const file = writePidFile(path);
  file.remove();
  file.remove();
  writePidFile(path);
  rmSync(folder, { recursive: true });
  file.remove();
  expect(existsSync(folder)).toBe(false);
  mkdirSync(folder);
});

test('writePidFile says what is wrong with the path', () => {
  expect(() => writePidFile(join(folder, 'none', 'server.pid'))).toThrow(
    new RangeError(
      `configuration pidFile is ${JSON.stringify(join(folder, 'none', 'server.pid'))}, which cannot be written (ENOENT): its directory must exist, and be writable`,
    ),
  );
  mkdirSync(path);
  expect(() => writePidFile(path)).toThrow(/which cannot be written \((EISDIR|EEXIST|ENOTEMPTY)\)/);
  expect(readdirSync(folder)).toEqual(['server.pid']);
});
