import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test, vi } from 'vitest';
import { checkHttp1Leniency, DEFAULT_HTTP1_LIMITS, type Http1Leniency } from '../src/index.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const readme = readFileSync(`${root}README.md`, 'utf8');

/** First two cells of the rows of a section whose first cell is a name. */
function rows(section: string): [string, string][] {
  const text = readme.split(`## ${section}\n`)[1]?.split('\n## ')[0] ?? '';
  return [...text.matchAll(/^\| `(\w+)` \| ([^|]+) \|/gm)].map(([, name, value]) => [name as string, value as string]);
}

test('README shows the example that is type-checked and run here', async () => {
  const example = readFileSync(`${root}test/fixtures/readme-example.ts`, 'utf8');
  expect(/<!-- readme-example -->\n```ts\n(.*?)```/s.exec(readme)?.[1]).toBe(example);
  const log = vi.spyOn(console, 'log').mockImplementation(() => {});
  await import('./fixtures/readme-example.ts');
  const printed = log.mock.calls.map(([line]) => line as string);
  log.mockRestore();
  const promised = [...example.matchAll(/^\/\/ (.*)$/gm)].map(([, line]) => line);
  expect(printed).toEqual([promised.join('\n')]);
});

test('README has the limits with their defaults', () => {
  const defaults = Object.entries(DEFAULT_HTTP1_LIMITS);
  expect(rows('Limits')).toEqual(defaults.map(([name, value]) => [name, value.toLocaleString('en-US')]));
});

test('README has every leniency', () => {
  let known = '';
  try {
    checkHttp1Leniency({ none: true } as Http1Leniency);
  } catch (error) {
    known = (error as Error).message;
  }
  expect(rows('Leniencies').map(([name]) => name)).toEqual(/expected one of (.*)$/.exec(known)?.[1]?.split(', '));
});
