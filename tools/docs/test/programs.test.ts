import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { requireTool } from '@cirque-internal/config/system-tools';
import { describe, expect, test } from 'vitest';
import { pages, readPage, root } from '../src/markdown.ts';
import { Rehearsal, type RehearsalOptions } from '../src/rehearsal.ts';
import { type Step, transcript } from '../src/transcript.ts';

const names = globSync('examples/*/src/main.ts', { cwd: root }).map((path) => path.split(/[\\/]/)[1] as string);

function readme(name: string): Step[] {
  const path = join(root, 'examples', name, 'README.md');
  return existsSync(path) ? transcript(readPage(path).text) : [];
}

/** What differs between threads, because each has a turn, or a cache, of its own. */
const OF_EACH_THREAD: Readonly<Record<string, RegExp>> = {
  dispatcher: /answer number \d+/g,
  'load-balancer': /origin (?:one|two)/g,
  'multi-lb': /(?<=(?:one|two)-)[ab]/g,
};

/** It has a server of ours, rather than one of node:http. */
function isServer(name: string): boolean {
  return readFileSync(join(root, 'examples', name, 'src/main.ts'), 'utf8').includes('new Server(');
}

const isClient = (word: string): boolean => /^[\w-]+\/[\w-]+$/.test(word);
const isStart = (step: Step): boolean =>
  step.kind === 'command' && step.words[0] === 'npm' && !step.words.some(isClient);
const isQuestion = (step: Step): boolean => step.kind === 'command' && !isStart(step) && step.words[0] !== 'node';

/** Performs all steps; the first difference fails, named by its line. */
async function actOut(steps: readonly Step[], options?: RehearsalOptions, chance = /(?!)/g): Promise<void> {
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

test('examples are there', () => {
  expect(names).toEqual(expect.arrayContaining(['load-balancer', 'reverse-proxy', 'failover', 'gateway']));
});

describe.each(names)('examples/%s', (name) => {
  const steps = readme(name);

  test('its README shows how to start it and what it answers', () => {
    expect(steps.filter(isStart)).not.toEqual([]);
    expect(steps.filter(isQuestion)).not.toEqual([]);
  });

  test('it does what its README says, and ends with 0 at SIGTERM', () => actOut(steps));

  test.runIf(isServer(name))('it does so in the background with two threads as well', () =>
    actOut(steps, { inBackgroundWith: 'threads: 2' }, OF_EACH_THREAD[name]),
  );
});

const guide = pages(join(root, 'docs/guide')).filter(({ text }) =>
  transcript(text).some(({ kind }) => kind === 'command'),
);

const openssl = requireTool('openssl');

describe.each(guide)('$path', ({ text }) => {
  const steps = transcript(text);
  const needsOpenssl = steps.some((step) => step.kind === 'command' && step.words[0] === 'openssl');

  test.skipIf(needsOpenssl && openssl.path === undefined)(
    'its programs do what the page says, and end with 0 at SIGTERM',
    () => actOut(steps),
  );
});
