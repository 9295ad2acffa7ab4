import { describe, expect, test } from 'vitest';
import { actOut, examples, readmeOf } from '../src/act-out.ts';
import type { Step } from '../src/transcript.ts';

const isClient = (word: string): boolean => /^[\w-]+\/[\w-]+$/.test(word);
const isStart = (step: Step): boolean =>
  step.kind === 'command' && step.words[0] === 'npm' && !step.words.some(isClient);
const isQuestion = (step: Step): boolean => step.kind === 'command' && !isStart(step) && step.words[0] !== 'node';

test('examples are there', () => {
  expect(examples).toEqual(expect.arrayContaining(['load-balancer', 'reverse-proxy', 'failover', 'gateway']));
});

describe.each(examples)('examples/%s', (name) => {
  const steps = readmeOf(name);

  test('its README shows how to start it and what it answers', () => {
    expect(steps.filter(isStart)).not.toEqual([]);
    expect(steps.filter(isQuestion)).not.toEqual([]);
  });

  test('it does what its README says, and ends with 0 at SIGTERM', () => actOut(steps));
});
