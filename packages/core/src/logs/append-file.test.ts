import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { AppendFile } from './append-file.ts';

let folder: string;
let path: string;
let files: AppendFile[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cirque-append-'));
  path = join(folder, 'a.log');
  files = [];
  vi.useFakeTimers();
});
afterEach(() => {
  for (const file of files) file.close();
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
  rmSync(folder, { recursive: true });
});

function open(...rest: ConstructorParameters<typeof AppendFile> extends [string, ...infer R] ? R : never): AppendFile {
  const file = new AppendFile(path, ...rest);
  files.push(file);
  return file;
}

const text = (name = 'a.log'): string => readFileSync(join(folder, name), 'utf8');

describe('AppendFile', () => {
  test('AppendFile keeps lines until there are enough of them', () => {
    const file = open({ bufferBytes: 10 });
    file.write('1234\n');
    expect(text()).toBe('');
    file.write('5678\n');
    expect(text()).toBe('1234\n5678\n');
  });

  test('AppendFile keeps the order of lines that are longer than its block, and of what is not ASCII', () => {
    const file = open({ bufferBytes: 10 });
    const lines = ['a\n', `${'b'.repeat(20_000)}\n`, 'ä€\u{1f600}\ud800\n', `${'€'.repeat(3_000)}\n`, 'c\n'];
    for (const line of lines) file.write(line);
    file.flush();
    expect(text()).toBe(lines.join('').replace('\ud800', '\ufffd'));
  });

  test('AppendFile writes whole blocks, whatever the lengths of the lines', () => {
    const lengths = fc.array(fc.integer({ min: 0, max: 6_000 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(lengths, fc.constantFrom(0, 100, 16_384), (all, bufferBytes) => {
        rmSync(path, { force: true });
        const file = open({ bufferBytes });
        const lines = all.map((length, at) => `${at}${'€x'[at % 2]?.repeat(length)}\n`);
        for (const line of lines) {
          file.write(line);
          expect(text()).toMatch(/^$|\n$/);
        }
        file.close();
        expect(text()).toBe(lines.join(''));
      }),
      { numRuns: 50 },
    );
  });

  test('AppendFile keeps no line for longer than flushMs, counted from the first one', () => {
    const file = open({ flushMs: 100 });
    file.write('a\n');
    vi.advanceTimersByTime(60);
    file.write('b\n');
    vi.advanceTimersByTime(40);
    expect(text()).toBe('a\nb\n');
    expect(vi.getTimerCount()).toBe(0);
  });

  test('AppendFile is an error where it cannot be opened, unless it is lenient', () => {
    path = join(folder, 'later', 'a.log');
    expect(() => open()).toThrow('ENOENT');
    const onFailure = vi.fn();
    const file = open({ bufferBytes: 0, lenient: true }, onFailure);
    file.write('lost\n');
    file.reopen();
    expect(onFailure).toHaveBeenCalledExactlyOnceWith(path, expect.objectContaining({ code: 'ENOENT' }));
    mkdirSync(join(folder, 'later'));
    file.reopen();
    file.write('kept\n');
    expect(text('later/a.log')).toBe('kept\n');
  });

  test('AppendFile without a buffer writes every line at once', () => {
    open({ bufferBytes: 0 }).write('ä\n');
    expect(text()).toBe('ä\n');
  });

  test('AppendFile appends, and makes files that strangers cannot read', () => {
    open({ bufferBytes: 0 }).write('a\n');
    open({ bufferBytes: 0 }).write('b\n');
    expect(text()).toBe('a\nb\n');
    expect(statSync(path).mode & 0o777).toBe(0o640);
  });

  test('AppendFile.reopen: earlier lines go to the renamed file, later ones to a new one', () => {
    const file = open();
    file.write('a\n');
    renameSync(path, join(folder, 'a.log.1'));
    file.write('b\n');
    file.reopen();
    file.write('c\n');
    file.flush();
    expect([text('a.log.1'), text()]).toEqual(['a\nb\n', 'c\n']);
  });

  test('AppendFile.reopen goes on with the old file when there can be no new one, and says so once', () => {
    const onFailure = vi.fn();
    const file = open({ bufferBytes: 0 }, onFailure);
    renameSync(path, join(folder, 'a.log.1'));
    mkdirSync(path);
    file.reopen();
    file.reopen();
    file.write('a\n');
    expect(text('a.log.1')).toBe('a\n');
    expect(onFailure).toHaveBeenCalledTimes(1);
    expect(onFailure).toHaveBeenCalledWith(path, expect.objectContaining({ code: 'EISDIR' }));
  });

  test('AppendFile.close writes what is kept, and later lines are lost', () => {
    const file = open();
    file.write('a\n');
    file.close();
    file.write('b\n');
    file.flush();
    file.reopen();
    file.close();
    expect(text()).toBe('a\n');
  });

  test('AppendFile throws when it cannot be opened', () => {
    expect(() => new AppendFile(join(folder, 'none', 'a.log'))).toThrow('ENOENT');
  });

  test('AppendFile survives a full disk, and says so once', () => {
    const onFailure = vi.fn();
    const file = new AppendFile('/dev/full', { bufferBytes: 0 }, onFailure);
    file.write('a\n');
    file.write('b\n');
    file.close();
    expect(onFailure.mock.calls).toEqual([['/dev/full', expect.objectContaining({ code: 'ENOSPC' })]]);
  });
});
