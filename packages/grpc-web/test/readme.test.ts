import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test, vi } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const readme = readFileSync(`${root}README.md`, 'utf8');

test('README shows the example that is type-checked and run here', async () => {
  const example = readFileSync(`${root}test/fixtures/readme-example.ts`, 'utf8');
  expect(/<!-- readme-example -->\n```ts\n(.*?)```/s.exec(readme)?.[1]).toBe(example);
  const log = vi.spyOn(console, 'log').mockImplementation(() => {});
  await import('./fixtures/readme-example.ts');
  const printed = log.mock.calls.map((words) => words.join(' '));
  log.mockRestore();
  const promised = [...example.matchAll(/^\/\/ (application.*)$/gm)].map(([, line]) => line);
  expect(printed).toEqual(promised);
  expect(promised).toHaveLength(2);
});

test('README has every source file in its map', () => {
  const map = readme.split('## Source map\n')[1] as string;
  const listed = [...map.matchAll(/`src\/([\w-]+)\.ts`/g)].map(([, name]) => name);
  const files = globSync('*.ts', { cwd: `${root}src` }).map((file) => file.replace('.ts', ''));
  expect(listed.sort()).toEqual(files.filter((file) => !/^index$|\.test$/.test(file)).sort());
});
