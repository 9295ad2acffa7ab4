// Waiting for something that happens elsewhere.
import { setTimeout as sleep } from 'node:timers/promises';

/** Looks again and again until `find` finds something. @throws Error when that takes too long. */
export async function until<T>(what: string, find: () => T | undefined | false, seconds = 60): Promise<T> {
  const deadline = performance.now() + seconds * 1_000;
  while (performance.now() < deadline) {
    const found = find();
    if (found !== undefined && found !== false) return found;
    await sleep(20);
  }
  throw new Error(`waited ${seconds} seconds in vain for ${what}`);
}
