import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { BENCH_FOLDER } from '../places.ts';
import { withResults } from './readme-section.ts';

describe('withResults', () => {
  it('replaces what is between the comments, and nothing else', () => {
    const before = 'a\n<!-- l4-results -->\nold\n<!-- /l4-results -->\nb\n';
    const after = 'a\n<!-- l4-results -->\n\nnew\n\n<!-- /l4-results -->\nb\n';
    expect(withResults(before, 'new\n')).toBe(after);
    expect(withResults(after, 'new\n')).toBe(after);
  });

  it.each(['', '<!-- l4-results -->', '<!-- /l4-results --><!-- l4-results -->'])('refuses %j', (text) => {
    expect(() => withResults(text, 'new')).toThrow('no place for results: expected <!-- l4-results -->');
  });

  it('finds its place in the README', () => {
    const readme = readFileSync(join(BENCH_FOLDER, 'README.md'), 'utf8');
    expect(withResults(readme, 'THE RESULTS')).toMatch(/## TCP and UDP[\s\S]+THE RESULTS/);
  });
});
