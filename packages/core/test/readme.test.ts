import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { configurationTable } from '../src/index.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const readme = readFileSync(`${root}README.md`, 'utf8');

test('README has the configuration table of the source', () => {
  const table = /<!-- configuration-table -->\n(.*)\n<!-- \/configuration-table -->/s.exec(readme)?.[1];
  expect(table).toBe(configurationTable());
});

test('README shows the example that is type-checked', () => {
  const example = /<!-- readme-example -->\n```ts\n(.*?)```/s.exec(readme)?.[1];
  expect(example).toBe(readFileSync(`${root}test/fixtures/readme-example.ts`, 'utf8'));
});

test('README maps every source file', () => {
  const files = globSync('src/**/*.ts', { cwd: root }).filter(
    (file) => !file.endsWith('.test.ts') && file !== 'src/index.ts',
  );
  const mapped = [...readme.matchAll(/^\| `(src\/[^`]+)` \|/gm)].map((match) => match[1]);
  expect(mapped.toSorted()).toEqual(files.toSorted());
});
