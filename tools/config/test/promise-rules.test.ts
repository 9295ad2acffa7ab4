import { spawnSync } from 'node:child_process';
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { plainEnvironment, root, scratchFolder } from './run-node.ts';

const callee = `
export async function work(): Promise<number> { return 1; }
export interface Doer { go(): Promise<void> }
export function each(callback: (n: number) => void): void { callback(1); }
`;

/** What the linter says about one line; its type-aware half is found in node_modules of the working directory. */
function lint(line: string): string {
  const folder = scratchFolder();
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'), 'junction');
  const settings = { extends: join(root, 'tools/config/tsconfig.json') };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(settings));
  writeFileSync(join(folder, 'callee.ts'), callee);
  const imports = `import { readFile } from 'node:fs/promises';\nimport { type Doer, each, work } from './callee.ts';\n`;
  const used = 'export type { Doer };\nvoid readFile;\nvoid each;\nvoid work;\n';
  writeFileSync(join(folder, 'caller.ts'), `${imports}${used}${line}\n`);
  const args = ['--type-aware', '-c', join(root, '.oxlintrc.json'), 'caller.ts', 'callee.ts'];
  const options = {
    cwd: folder,
    encoding: 'utf8',
    env: plainEnvironment(),
    shell: process.platform === 'win32',
  } as const;
  const { stdout, stderr, error } = spawnSync(join(root, 'node_modules/.bin/oxlint'), args, options);
  if (error) throw error;
  return stdout + stderr;
}

test.each([
  ['a floating call of an async function of another file', 'export function f(): void { work(); }'],
  ['a floating method of an interface', 'export function f(d: Doer): void { d.go(); }'],
  ['a floating call of Node', `export function f(): void { readFile('x'); }`],
  ['a floating then', 'export function f(): void { work().then((n) => n); }'],
])('no-floating-promises catches %s', (_, line) => {
  expect(lint(line)).toContain('no-floating-promises');
});

test.each([
  ['an async callback where void is expected', 'each(async () => { await work(); });'],
  ['an async timer', 'setTimeout(async () => { await work(); }, 1);'],
  ['an async forEach', '[1].forEach(async () => { await work(); });'],
  ['an async function as a void property', 'export const o: { f: () => void } = { f: async () => { await work(); } };'],
  ['a promise as a condition', 'export function f(): number { if (work()) return 1; return 2; }'],
])('no-misused-promises catches %s', (_, line) => {
  expect(lint(line)).toContain('no-misused-promises');
});

test('promise rules accept what is awaited, returned or discarded with void', () => {
  const found = lint('export async function f(): Promise<number> { void work(); await work(); return work(); }');
  expect(found).toMatch(/Found 0 warnings and 0 errors\.\s+Finished in .* on 2 files/);
});
