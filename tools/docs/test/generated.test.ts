import { PHASES } from '@cirque/proxy';
import { expect, test } from 'vitest';
import { generatedParts, regenerate } from '../src/generated.ts';
import { pages } from '../src/markdown.ts';
import { phaseChart, phaseTable } from '../src/phase-chart.ts';

test('generated parts of the pages are fresh; "pnpm run update" in tools/docs makes them so', () => {
  const all = pages().filter(({ text }) => generatedParts(text).length > 0);
  const stale = all.filter(({ text }) => regenerate(text) !== text).map(({ path }) => path);
  expect(stale).toEqual([]);
  const parts = new Set(all.flatMap(({ text }) => generatedParts(text)));
  expect([...parts]).toEqual(
    expect.arrayContaining(['phase-chart', 'phase-table', 'configuration-table', 'error-table']),
  );
});

test('regenerate replaces what is between its marks and nothing else', () => {
  const page = 'a\n<!-- generated: phase-table -->\nold\n<!-- /generated -->\nb\n';
  expect(regenerate(page)).toBe(`a\n<!-- generated: phase-table -->\n${phaseTable()}\n<!-- /generated -->\nb\n`);
  expect(() => regenerate('<!-- generated: nonsense -->\n<!-- /generated -->')).toThrow(/nothing makes nonsense/);
});

test('phaseChart names every phase once, and draws only ways that the table allows', () => {
  const lines = phaseChart().split('\n');
  for (const { name } of PHASES)
    expect(lines.filter((line) => line.trim().startsWith(`${name}["${name}`))).toHaveLength(1);
  const ways = lines.map((line) => /^ {2}(\w+) (?:-->|-\.->) (\w+)$/.exec(line)).filter((way) => way !== null);
  expect(ways.length).toBeGreaterThan(PHASES.length);
  for (const [line, from = '', to = ''] of ways) {
    if (!from.startsWith('group')) expect(PHASES.find(({ name }) => name === from)?.next, line).toContain(to);
  }
});

test('phaseTable has every way from one phase to another', () => {
  const rows = phaseTable().split('\n').slice(2);
  expect(rows).toHaveLength(PHASES.length);
  for (const [at, { name, next }] of PHASES.entries()) {
    expect(rows[at]).toContain(`| \`${name}\` |`);
    for (const follower of next) expect(rows[at]).toContain(`\`${follower}\``);
  }
});
