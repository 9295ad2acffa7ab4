import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test, vi } from 'vitest';
import { HOP_BY_HOP_FIELDS } from '../src/index.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const readme = readFileSync(`${root}README.md`, 'utf8');

test('README shows the example that is type-checked and run here', async () => {
  const example = readFileSync(`${root}test/fixtures/readme-example.ts`, 'utf8');
  expect(/<!-- readme-example -->\n```ts\n(.*?)```/s.exec(readme)?.[1]).toBe(example);
  const log = vi.spyOn(console, 'log').mockImplementation(() => {});
  await import('./fixtures/readme-example.ts');
  expect(log.mock.calls).toEqual([
    ['/users', 'page=2'],
    [['text/html', 'application/json']],
    ['host: api.internal\r\nAccept: text/html\r\naccept: application/json\r\nX-Forwarded-For: 192.0.2.7\r\n'],
    [404, 'Not Found', 0],
  ]);
  log.mockRestore();
});

test('README lists the hop-by-hop fields', () => {
  const listed = /Hop-by-hop are (.*?)\.\n/s.exec(readme)?.[1]?.match(/`[^`]+`/g) ?? [];
  expect(listed.map((name) => name.slice(1, -1).toLowerCase()).sort()).toEqual([...HOP_BY_HOP_FIELDS].sort());
});
