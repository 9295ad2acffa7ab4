import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test, vi } from 'vitest';
import { parse } from 'yaml';
import { gatewayConfigFromText } from '../src/index.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const readme = readFileSync(`${root}README.md`, 'utf8');

test('README shows the example that is type-checked and run here', async () => {
  const example = readFileSync(`${root}test/fixtures/readme-example.ts`, 'utf8');
  expect(/<!-- readme-example -->\n```ts\n(.*?)```/s.exec(readme)?.[1]).toBe(example);
  const log = vi.spyOn(console, 'log').mockImplementation(() => {});
  await import('./fixtures/readme-example.ts');
  const printed = log.mock.calls.map(([line]) => line as string);
  log.mockRestore();
  const promised = [...example.matchAll(/^\/\/ (.*)$/gm)].map(([, line]) => line);
  expect(printed.join('\n')).toBe(promised.join('\n'));
});

test('README shows a file that works', () => {
  const [, file = ''] = /```yaml\n(.*?)```/s.exec(readme) ?? [];
  expect(gatewayConfigFromText(file, 'cirque.yaml').listeners).toHaveLength(
    (parse(file) as { listeners: [] }).listeners.length,
  );
});

test('README has every source file', () => {
  const map = readme.split('## Source map\n')[1]?.split('\n## ')[0] ?? '';
  const named = [...map.matchAll(/`(src\/[^`]+)`/g)].map(([, file]) => file).sort();
  const files = readdirSync(`${root}src`, { recursive: true, encoding: 'utf8' }).map((file) => `src/${file}`);
  const sources = files.filter((file) => /(?<!\.test)\.ts$/.test(file) && file !== 'src/index.ts');
  expect(named).toEqual(sources.sort());
});
