import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test, vi } from 'vitest';
import { createProxyServer } from '../src/http-proxy.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const readme = readFileSync(`${root}README.md`, 'utf8');

/** The lines of the table in the given section, without its head. */
function rows(section: string): string[] {
  const text = readme.split(`## ${section}\n`)[1]?.split('\n## ')[0] ?? '';
  return text.split('\n').filter((line) => line.startsWith('| `'));
}

test('README shows the example that is type-checked and run here', async () => {
  const example = readFileSync(`${root}test/fixtures/readme-example.ts`, 'utf8');
  expect(/<!-- readme-example -->\n```ts\n(.*?)```/s.exec(readme)?.[1]).toBe(example);
  const log = vi.spyOn(console, 'log').mockImplementation(() => {});
  await import('./fixtures/readme-example.ts');
  const printed = log.mock.calls.map(([line]) => line as string);
  log.mockRestore();
  expect(printed).toEqual([...example.matchAll(/^\/\/ (\/.*)$/gm)].map(([, line]) => line));
});

test('README maps every source file', () => {
  const files = globSync('src/**/*.ts', { cwd: root }).filter(
    (file) => !file.endsWith('.test.ts') && !readFileSync(`${root}${file}`, 'utf8').startsWith('/** Entry of'),
  );
  const mapped = rows('Source map').flatMap((row) => [...row.matchAll(/`(src\/[^`]+)`/g)].map(([, file]) => file));
  expect(mapped.toSorted()).toEqual(files.toSorted());
});

test('README has every option of http-proxy that is known', () => {
  let known = '';
  try {
    createProxyServer({ none: true } as never);
  } catch (error) {
    known = (error as Error).message;
  }
  const listed = rows('In the manner of http-proxy').flatMap((row) =>
    [...(row.split(' | ')[0] ?? '').matchAll(/`(\w+)`/g)].map(([, name]) => name),
  );
  const events = ['start', 'proxyReq', 'proxyRes', 'end', 'proxyReqWs', 'open', 'close', 'error', 'econnreset'];
  const options = /expected one of (.*)$/.exec(known)?.[1]?.split(', ') ?? [];
  expect(listed.toSorted()).toEqual([...options, ...events].toSorted());
});
