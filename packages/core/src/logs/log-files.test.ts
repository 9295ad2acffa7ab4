import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { LogFiles } from './log-files.ts';

let folder: string;
let logs: LogFiles;
const onFailure = vi.fn();
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cirque-logs-'));
  logs = new LogFiles(onFailure);
  onFailure.mockReset();
});
afterEach(() => {
  logs.close();
  rmSync(folder, { recursive: true });
});

const path = (name: string): string => join(folder, name);
const text = (name: string): string => readFileSync(path(name), 'utf8');

describe('LogFiles', () => {
  test('LogFiles.open answers one file for one path, however it is written', () => {
    const file = logs.open(path('a'));
    expect(logs.open(path('a'), { bufferBytes: 0 })).toBe(file);
    expect(logs.open(relative(process.cwd(), path('a')))).toBe(file);
    expect(logs.open(path('b'))).not.toBe(file);
    expect(file.path).toBe(path('a'));
  });

  test('LogFiles.reopen opens all of them again', () => {
    for (const name of ['a', 'b']) {
      logs.open(path(name)).write('1\n');
      renameSync(path(name), path(`${name}.1`));
    }
    logs.reopen();
    for (const name of ['a', 'b']) logs.open(path(name)).write('2\n');
    logs.flush();
    expect(['a.1', 'a', 'b.1', 'b'].map(text)).toEqual(['1\n', '2\n', '1\n', '2\n']);
  });

  test('LogFiles.reopen goes on when one of them cannot be opened', () => {
    logs.open(path('a'));
    logs.open(path('b')).write('1\n');
    for (const name of ['a', 'b']) renameSync(path(name), path(`${name}.1`));
    mkdirSync(path('a'));
    logs.reopen();
    logs.open(path('b')).write('2\n');
    logs.flush();
    expect(onFailure.mock.calls.map(([failed]) => failed)).toEqual([path('a')]);
    expect(text('b')).toBe('2\n');
  });

  test('LogFiles.close writes what is kept, and files can be opened anew', () => {
    logs.open(path('a')).write('1\n');
    logs.close();
    expect(text('a')).toBe('1\n');
    logs.open(path('a')).write('2\n');
    logs.close();
    expect(text('a')).toBe('1\n2\n');
  });

  test('LogFiles writes what is kept when the process exits, and listens only while files are open', () => {
    const before = process.listeners('exit');
    logs.open(path('a')).write('1\n');
    logs.open(path('b'));
    const [added, ...more] = process.listeners('exit').filter((listener) => !before.includes(listener));
    expect(more).toEqual([]);
    added?.(0);
    expect(text('a')).toBe('1\n');
    logs.close();
    expect(process.listeners('exit')).toEqual(before);
  });
});
