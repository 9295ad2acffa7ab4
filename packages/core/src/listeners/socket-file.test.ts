import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { SocketFile } from './socket-file.ts';

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cirque-socket-file-'));
  path = join(folder, 'site.sock');
});
afterEach(() => rmSync(folder, { recursive: true }));

test('SocketFile.removeFrom removes the file, also where it has another name by now', () => {
  writeFileSync(path, '');
  const file = new SocketFile(path);
  const renamed = join(folder, 'renamed.sock');
  renameSync(path, renamed);
  file.removeFrom(renamed);
  expect(existsSync(renamed)).toBe(false);
});

test('SocketFile.removeFrom leaves the file of a successor alone', () => {
  writeFileSync(path, '');
  const file = new SocketFile(path);
  writeFileSync(join(folder, 'next'), '');
  renameSync(join(folder, 'next'), path);
  file.removeFrom(path);
  expect(existsSync(path)).toBe(true);
});

test('SocketFile.removeFrom of what is gone, or may not be removed, changes nothing and does not throw', () => {
  // What may be removed depends on the user who runs this; a folder may be by nobody.
  mkdirSync(path);
  const file = new SocketFile(path);
  file.removeFrom(path);
  expect(existsSync(path)).toBe(true);
  rmSync(path, { recursive: true });
  expect(() => file.removeFrom(path)).not.toThrow();
});
