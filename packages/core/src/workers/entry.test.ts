import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { entryOf } from './entry.ts';

const here = new URL(import.meta.url).pathname;

test('entryOf is the module that was started, with the options of the process', () => {
  const { url, execArgv } = entryOf(undefined, ['/usr/bin/node', here], ['--no-warnings']);
  expect(url.href).toBe(pathToFileURL(here).href);
  expect(execArgv).toBeUndefined();
});

test('entryOf: of a given module only the conditions of the process go along', () => {
  const { url, execArgv } = entryOf('app.ts', [], ['--test', '--conditions=a', '-C', 'b', '--inspect']);
  expect(url.pathname).toBe(`${process.cwd()}/app.ts`);
  expect(execArgv).toEqual(['--conditions=a', '--conditions=b']);
});

test('entryOf takes URLs, as objects and as text', () => {
  const url = new URL('file:///srv/app.js');
  expect(entryOf(url, [], []).url).toBe(url);
  expect(entryOf('file:///srv/app.js', [], []).url.href).toBe(url.href);
});

test('entryOf says what is missing when no module was started', () => {
  expect(() => entryOf(undefined, ['/usr/bin/node'], [])).toThrow('give the option `entry`');
});
