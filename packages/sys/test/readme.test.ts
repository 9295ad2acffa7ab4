import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test, vi } from 'vitest';
import { NativeSys } from '../src/native-sys.ts';
import { platform } from './backends.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const readme = readFileSync(`${root}README.md`, 'utf8');

function section(name: string): string {
  return readme.split(`## ${name}\n`)[1]?.split('\n## ')[0] ?? '';
}

/** Names in the first cells of a section's rows. */
function firstCells(name: string): string[] {
  const cells = [...section(name).matchAll(/^\| (`.*?) \|/gm)].map(([, cell]) => cell as string);
  return cells.flatMap((cell) => [...cell.matchAll(/`(\w+)/g)].map(([, found]) => found as string)).sort();
}

test('README shows the example that is type-checked and run here', async () => {
  const example = readFileSync(`${root}test/fixtures/readme-example.ts`, 'utf8');
  expect(/<!-- readme-example -->\n```ts\n(.*?)```/s.exec(readme)?.[1]).toBe(example);
  const log = vi.spyOn(console, 'log').mockImplementation(() => {});
  await import('./fixtures/readme-example.ts');
  const printed = log.mock.calls.map(([line]) => line as string);
  log.mockRestore();
  const promised = example.split('console.log(`answered by')[1] ?? '';
  expect(printed).toEqual([...promised.matchAll(/^\/\/ (.*)$/gm)].map(([, line]) => line));
});

test('README has every call', () => {
  const calls = Object.getOwnPropertyNames(NativeSys.prototype).filter((name) => name !== 'constructor');
  expect(firstCells('What there is')).toEqual([...calls, 'descriptorOf'].sort());
});

test('README has every socket option', () => {
  expect(firstCells('Socket options')).toEqual(Object.keys(platform.options).sort());
});

test('README has every source file', () => {
  const named = [...section('Source map').matchAll(/`(src\/[^`]+)`/g)].map(([, file]) => file).sort();
  const files = readdirSync(`${root}src`, { recursive: true, encoding: 'utf8' }).map((file) => `src/${file}`);
  const sources = files.filter((file) => /(?<!\.test)\.ts$/.test(file) && file !== 'src/index.ts');
  expect(named).toEqual(sources.sort());
});
