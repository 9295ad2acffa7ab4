import { existsSync, globSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readPage, root } from '../src/markdown.ts';
import { Rehearsal } from '../src/rehearsal.ts';
import { type Step, transcript } from '../src/transcript.ts';

const names = globSync('examples/*/src/main.ts', { cwd: root }).map((path) => path.split(/[\\/]/)[1] as string);

function readme(name: string): Step[] {
  const path = join(root, 'examples', name, 'README.md');
  return existsSync(path) ? transcript(readPage(path).text) : [];
}

const isStart = (step: Step): boolean => step.kind === 'command' && step.words[0] === 'npm';
const isQuestion = (step: Step): boolean => step.kind === 'command' && !isStart(step) && step.words[0] !== 'node';

test('examples are there', () => {
  expect(names).toEqual(expect.arrayContaining(['load-balancer', 'reverse-proxy', 'failover', 'gateway']));
});

describe.each(names)('examples/%s', (name) => {
  const steps = readme(name);

  test('its README shows how to start it and what it answers', () => {
    expect(steps.filter(isStart)).not.toEqual([]);
    expect(steps.filter(isQuestion)).not.toEqual([]);
  });

  test('it does what its README says, and ends with 0 at SIGTERM', async () => {
    const rehearsal = new Rehearsal();
    try {
      for (const step of steps) {
        const { line, command, expected, found } = await rehearsal.perform(step);
        expect({ line, command, output: found }).toEqual({ line, command, output: expected });
      }
    } catch (error) {
      await rehearsal.end();
      throw error;
    }
    expect(await rehearsal.end()).toBe(0);
  });
});
