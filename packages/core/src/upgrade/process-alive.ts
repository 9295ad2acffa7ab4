/**
 * Whether a process is still there.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const ASK_EVERY_MS = 50;

/**
 * True when the process has ended, or does so within `patienceMs`: its connections close a moment before it is gone.
 * Nothing is known of a process without a number.
 */
export async function hasEnded(pid: number | undefined, patienceMs: number): Promise<boolean> {
  if (pid === undefined) return false;
  for (let waited = 0; ; waited += ASK_EVERY_MS) {
    if (!isAlive(pid)) return true;
    if (waited >= patienceMs) return false;
    await sleep(ASK_EVERY_MS);
  }
}

/** Whether there is such a process. One that has ended but was not yet waited for by its parent does not count. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  return !isZombie(pid);
}

function isZombie(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return /^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2));
  } catch {
    return false; // no /proc on this system
  }
}
