import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test, vi } from 'vitest';
import { compression, decompression, requestDecompression } from '../src/index.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const readme = readFileSync(`${root}README.md`, 'utf8');

test('README shows the example that is type-checked and run here', async () => {
  const example = readFileSync(`${root}test/fixtures/readme-example.ts`, 'utf8');
  expect(/<!-- readme-example -->\n```ts\n(.*?)```/s.exec(readme)?.[1]).toBe(example);
  const log = vi.spyOn(console, 'log').mockImplementation(() => {});
  await import('./fixtures/readme-example.ts');
  const printed = log.mock.calls.map((words) => words.join(' '));
  log.mockRestore();
  expect(printed).toEqual([...example.matchAll(/^\/\/ (.*)$/gm)].map(([, line]) => line));
});

test('README has every source file in its map', () => {
  const map = readme.split('## Source map\n')[1] as string;
  const listed = [...map.matchAll(/`src\/([\w-]+)\.ts`/g)].map(([, name]) => name);
  const files = globSync('*.ts', { cwd: `${root}src` }).map((file) => file.replace('.ts', ''));
  expect(listed.sort()).toEqual(files.filter((file) => !/^index$|\.test$/.test(file)).sort());
});

/** What an error says about the options there are. */
function known(build: (options: object) => unknown): string[] {
  try {
    build({ none: true });
  } catch (error) {
    return /expected one of (.*)$/.exec((error as Error).message)?.[1]?.split(', ') ?? [];
  }
  return [];
}

test('README has every option', () => {
  const [first = '', second = ''] = readme.split('## Options\n')[1]?.split('\n## ')[0]?.split('`decompression({') ?? [];
  const rows = (text: string): string[] => [...text.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name as string);
  expect(rows(first).sort()).toEqual(known(compression).sort());
  expect(rows(second).sort()).toEqual(known(decompression).sort());
  expect(rows(second).slice(2).sort()).toEqual(known(requestDecompression).sort());
});
