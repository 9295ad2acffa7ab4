import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const readme = readFileSync(`${root}README.md`, 'utf8');

test('README has every source file', () => {
  const map = readme.split('## Source map\n')[1]?.split('\n## ')[0] ?? '';
  const named = [...map.matchAll(/`(src\/[^`]+)`/g)].map(([, file]) => file).sort();
  const files = readdirSync(`${root}src`, { recursive: true, encoding: 'utf8' }).map((file) => `src/${file}`);
  const sources = files.filter((file) => /(?<!\.test)\.ts$/.test(file) && file !== 'src/index.ts');
  expect(named).toEqual(sources.sort());
});
