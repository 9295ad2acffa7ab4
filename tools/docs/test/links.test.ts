import { existsSync, globSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { anchors, localLinks, type Page, pages, readPage, root } from '../src/markdown.ts';

/** Why a link leads nowhere; undefined when it leads somewhere. */
function problemOf(page: Page, link: string): string | undefined {
  const [target = '', anchor] = link.split('#', 2);
  const path = target === '' ? join(root, page.path) : join(root, dirname(page.path), decodeURI(target));
  if (!existsSync(path)) return `${page.path}: ${link} is not there`;
  if (anchor === undefined || statSync(path).isDirectory() || !path.endsWith('.md')) return undefined;
  return anchors(readPage(path).text).has(anchor) ? undefined : `${page.path}: ${link} has no such heading`;
}

test('every relative link of the Markdown files leads to a file, and to a heading of it', () => {
  const problems = pages().flatMap((page) => localLinks(page.text).map((link) => problemOf(page, link)));
  expect(problems.filter((problem) => problem !== undefined)).toEqual([]);
  expect(problems.length).toBeGreaterThan(20);
});

test('problemOf finds missing files and headings', () => {
  const page: Page = { path: 'docs/x.md', text: '' };
  expect(problemOf(page, '../README.md#two-commands')).toBeUndefined();
  expect(problemOf(page, '../packages/error')).toBeUndefined();
  expect(problemOf(page, '../README.md#three-commands')).toMatch(/no such heading/);
  expect(problemOf(page, 'README.md')).toMatch(/not there/);
});

test('every page of the guide is linked from its index', () => {
  const guide = pages(join(root, 'docs/guide')).map(({ path }) => path.replace('docs/guide/', ''));
  const linked = localLinks(readPage(join(root, 'docs/guide/README.md')).text);
  expect(guide.filter((path) => path !== 'README.md' && !linked.includes(path))).toEqual([]);
});

test('every example is linked from the list of examples', () => {
  const names = globSync('*/src/main.ts', { cwd: join(root, 'examples') }).map((path) => path.split(/[\\/]/)[0]);
  expect(localLinks(readPage(join(root, 'examples/README.md')).text)).toEqual(expect.arrayContaining(names));
});
