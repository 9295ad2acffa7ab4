import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { PHASES } from '../src/phases.ts';

const folder = new URL('..', import.meta.url);
const readme = readFileSync(new URL('README.md', folder), 'utf8');

/** The lines of the table below the given heading. */
function tableBelow(heading: string): string[] {
  const section = readme.slice(readme.indexOf(`\n${heading}\n`));
  const lines = section.split('\n');
  const first = lines.findIndex((line) => line.startsWith('|'));
  const rest = lines.slice(first);
  return rest.slice(
    0,
    rest.findIndex((line) => !line.startsWith('|')),
  );
}

describe('README', () => {
  test('has the table of the phases as PHASES has it', () => {
    const rows = PHASES.map(
      ({ name, runs, next }) =>
        `| \`${name}\` | ${runs} | ${next.map((one) => `\`${one}\``).join(', ') || '(the end)'} |`,
    );
    expect(tableBelow('## The phases')).toEqual(['| Phase | Runs | What can come next |', '|---|---|---|', ...rows]);
  });

  test.each(['readme-example', 'readme-test'])('shows %s, which is type-checked', (name) => {
    const shown = new RegExp(`<!-- ${name} -->\n\`\`\`ts\n(.*?)\`\`\``, 's').exec(readme)?.[1];
    expect(shown).toBe(readFileSync(new URL(`test/fixtures/${name}.ts`, folder), 'utf8'));
  });

  test('shows a test that passes', async () => {
    await expect(import('./fixtures/readme-test.ts')).resolves.toBeDefined();
  });

  test('has a source map of the files there are', () => {
    const named = tableBelow('## Source map')
      .slice(2)
      .flatMap((line) => [...(line.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, file]) => file as string));
    for (const file of named) expect(existsSync(new URL(file, folder)), file).toBe(true);
    const sources = readdirSync(new URL('src', folder), { recursive: true })
      .map(String)
      .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && !file.endsWith('index.ts'));
    expect(sources.filter((file) => !named.some((one) => `src/${file}` === one))).toEqual([]);
  });
});
