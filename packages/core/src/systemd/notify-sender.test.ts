import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { programSender } from './notify-sender.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cirque-notify-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A program in the place of systemd-notify: writes down what it was given; slow when told RELOADING. */
function program(): string {
  const path = join(folder, 'fake-notify');
  const slow = 'case "$*" in *RELOADING*) sleep 0.3;; *FAIL*) exit 5;; esac';
  writeFileSync(path, `#!/bin/sh\n${slow}\necho "$NOTIFY_SOCKET $*" >> "${join(folder, 'out')}"\n`, { mode: 0o755 });
  return path;
}

test('programSender runs the program without waiting for the manager, one message after the other', async () => {
  const send = programSender('/run/n', program());
  await Promise.all([send(['RELOADING=1', 'STATUS=a b']), send(['READY=1'])]);
  expect(readFileSync(join(folder, 'out'), 'utf8')).toBe(
    '/run/n --no-block RELOADING=1 STATUS=a b\n/run/n --no-block READY=1\n',
  );
});

test('programSender rejects what fails, and goes on with the next', async () => {
  const send = programSender('/run/n', program());
  const [failed, next] = [send(['FAIL=1']), send(['READY=1'])];
  await expect(failed).rejects.toThrow('fake-notify has ended with code 5');
  await next;
  expect(readFileSync(join(folder, 'out'), 'utf8')).toBe('/run/n --no-block READY=1\n');
});

test('programSender rejects when there is no such program', async () => {
  await expect(programSender('/run/n', join(folder, 'none'))(['READY=1'])).rejects.toThrow('ENOENT');
});
