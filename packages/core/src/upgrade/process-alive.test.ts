import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { hasEnded } from './process-alive.ts';

describe('hasEnded', () => {
  test('hasEnded is false for a living process and for one without a number', async () => {
    expect(await hasEnded(process.pid, 0)).toBe(false);
    expect(await hasEnded(undefined, 0)).toBe(false);
  });

  test('hasEnded waits for a process that is about to end', async () => {
    const child = spawn(process.execPath, ['-e', 'process.stdin.resume()'], { stdio: ['pipe', 'ignore', 'ignore'] });
    await once(child, 'spawn');
    const ended = hasEnded(child.pid, 20_000);
    child.kill('SIGKILL');
    expect(await ended).toBe(true);
  });
});
