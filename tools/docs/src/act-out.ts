/**
 * Acts pages out as tests: what an example is, and how the steps of a page are performed one after the other.
 */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { readPage, root } from './markdown.ts';
import { Rehearsal, type RehearsalOptions } from './rehearsal.ts';
import { type Step, transcript } from './transcript.ts';

/** The examples that can be started, by folder. */
export const examples: readonly string[] = globSync('examples/*/src/main.ts', { cwd: root }).map(
  (path) => path.split(/[\\/]/)[1] as string,
);

/** The steps of an example's README. */
export function readmeOf(name: string): Step[] {
  const path = join(root, 'examples', name, 'README.md');
  return existsSync(path) ? transcript(readPage(path).text) : [];
}

/** It has a server of ours, rather than one of node:http. */
export function isServer(name: string): boolean {
  return readFileSync(join(root, 'examples', name, 'src/main.ts'), 'utf8').includes('new Server(');
}

/** Performs all steps; the first difference fails, named by its line. What `chance` matches may differ. */
export async function actOut(steps: readonly Step[], options?: RehearsalOptions, chance = /(?!)/g): Promise<void> {
  const rehearsal = new Rehearsal(options);
  try {
    for (const step of steps) {
      const outcome = await rehearsal.perform(step);
      if (outcome === undefined) continue;
      const { line, command, expected, found } = outcome;
      const [wanted, output] = [expected, found].map((text) => text.replaceAll(chance, '(one or the other)'));
      expect({ line, command, output }).toEqual({ line, command, output: wanted });
    }
  } catch (error) {
    await rehearsal.end();
    throw error;
  }
  expect(await rehearsal.end()).toBeOneOf([0, undefined]);
}
