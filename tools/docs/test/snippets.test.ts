import { expect, test } from 'vitest';
import { pages } from '../src/markdown.ts';
import { checkSnippets } from '../src/snippets.ts';

test('every ts block of the Markdown files type-checks', async () => {
  const { count, problems } = await checkSnippets(pages());
  expect(problems).toEqual([]);
  expect(count).toBeGreaterThan(20);
});

test('checkSnippets reports the page and the line of what is wrong', async () => {
  const text = ['# Page', '', '<!-- before:', "import { CirqueError } from '@cirque/error';", '-->', '', '```ts'];
  const good = { path: 'good.md', text: [...text, 'throw CirqueError.http(503);', '```'].join('\n') };
  const bad = { path: 'a/bad.md', text: [...text, 'const error =', '  CirqueError.htpp(503);', '```'].join('\n') };
  const { count, problems } = await checkSnippets([good, bad]);
  expect(count).toBe(2);
  expect(problems).toHaveLength(1);
  expect(problems[0]).toMatch(/^a\/bad\.md:9: error TS\d+: Property 'htpp' does not exist/);
});
