import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { resolveStreamOptions } from '../src/stream-options.ts';
import { STREAM_PHASES } from '../src/stream-phases.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const readme = readFileSync(`${root}README.md`, 'utf8');

function section(name: string): string {
  return readme.split(`## ${name}\n`)[1]?.split('\n## ')[0] ?? '';
}

/** The rows of the table with these headings, as cells. */
function table(name: string, headings: string): string[][] {
  const rows = section(name).split(`${headings}\n`)[1]?.split('\n\n')[0]?.split('\n').slice(1) ?? [];
  return rows.map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

test('README shows the example that is type-checked', () => {
  const example = readFileSync(`${root}test/fixtures/readme-example.ts`, 'utf8');
  expect(/<!-- readme-example -->\n```ts\n(.*?)```/s.exec(readme)?.[1]).toBe(example);
});

test('README has the phases of a TCP connection as the table has them', () => {
  const rows = STREAM_PHASES.map(({ name, runs, next }) => [
    `\`${name}\``,
    runs,
    next.map((one) => `\`${one}\``).join(', ') || '(the end)',
  ]);
  expect(table('TCP', '| Phase | Runs | What may come next |')).toEqual(rows);
});

test('README has every option of a TCP proxy with its default', () => {
  const shown = table('TCP', '| Option | Default | |').flatMap(([names = '', value = '']) =>
    [...names.matchAll(/`(\w+)`/g)].map(([, name]) => [name as string, value] as const),
  );
  const { halfCloseTimeoutMs: _, ...defaults } = resolveStreamOptions({});
  const expected = Object.entries(defaults).map(([name, value]) => [name, value.toLocaleString('en-US')] as const);
  expect(new Map(shown)).toEqual(new Map([...expected, ['halfCloseTimeoutMs', '`idleTimeoutMs`']]));
});

test('README has every source file', () => {
  const named = [...section('Source map').matchAll(/^\| `(src\/[^`]+)`/gm)].map(([, file]) => file).sort();
  const files = readdirSync(`${root}src`, { recursive: true, encoding: 'utf8' }).map((file) => `src/${file}`);
  const sources = files.filter((file) => /(?<!\.test)\.ts$/.test(file) && file !== 'src/index.ts');
  expect(named).toEqual(sources.sort());
});
