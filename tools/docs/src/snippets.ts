/**
 * Type-checks every `ts` block of the Markdown files against the sources of the packages, in one run of the compiler.
 *
 * Each block is a module of its own. What it needs but does not show stands in a comment `<!-- before: ... -->` above
 * it. Blocks keep the line numbers of their page, so that a message leads to the right place.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { codeBlocks, type Page } from './markdown.ts';

const folder = fileURLToPath(new URL('..', import.meta.url));
const compiler = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');

/** The file of a block: `docs/guide/phases.md`, line 12, becomes `docs/guide/phases.md.12.ts`. */
function fileOf(page: Page, line: number): string {
  return `${page.path}.${line}.ts`;
}

/** The block where it stands in its page: the lines before it are empty but for what is needed and not shown. */
function moduleOf(before: string, code: string, line: number): string {
  const shownFrom = line - 1;
  const hidden = before === '' ? [] : before.split('\n');
  if (hidden.length >= shownFrom) throw new Error(`the comment before line ${line} has too many lines`);
  return [...hidden, ...new Array<string>(shownFrom - hidden.length).fill(''), code, 'export {};', ''].join('\n');
}

/** How many blocks there are, and what the compiler says of them: `docs/x.md:12: error TS...`. */
export async function checkSnippets(all: readonly Page[]): Promise<{ count: number; problems: string[] }> {
  const scratch = mkdtempSync(join(folder, '.snippets-'));
  try {
    const files = all.flatMap((page) =>
      codeBlocks(page.text)
        .filter(({ info }) => info === 'ts')
        .map(({ before, code, line }) => ({ name: fileOf(page, line), text: moduleOf(before, code, line) })),
    );
    for (const { name, text } of files) {
      mkdirSync(dirname(join(scratch, name)), { recursive: true });
      writeFileSync(join(scratch, name), text);
    }
    const settings = { extends: '@cirque-internal/config/tsconfig.json', files: files.map(({ name }) => name) };
    writeFileSync(join(scratch, 'tsconfig.json'), JSON.stringify(settings));
    return { count: files.length, problems: problemsIn(await compile(scratch)) };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function compile(project: string): Promise<string> {
  const args = [compiler, '--project', project, '--pretty', 'false'];
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, { cwd: project, maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      if (error !== null && stdout === '') reject(new Error(`the compiler did not run: ${stderr}`, { cause: error }));
      else resolve(stdout);
    });
  });
}

/** Messages about the blocks; those about the packages themselves are the business of their own type check. */
function problemsIn(output: string): string[] {
  const found = output.matchAll(/^(\S+\.md)\.\d+\.ts\((\d+),\d+\): (.*)$/gm);
  return Array.from(found, ([, page, line, message]) => `${page}:${line}: ${message}`);
}
