import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root, run, scratchFolder } from './run-node.ts';

const vitest = join(root, 'node_modules/vitest/vitest.mjs');
const reporter = join(root, 'tools/config/closing-line-reporter.ts');
const head = `import { afterAll, beforeAll, describe, expect, test } from 'vitest';\n`;

async function closingLine(
  files: readonly string[],
  ...options: string[]
): Promise<{ line: string; code: number | null }> {
  const folder = scratchFolder();
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(join(root, 'node_modules/vitest'), join(folder, 'node_modules/vitest'), 'junction');
  for (const [index, content] of files.entries()) writeFileSync(join(folder, `${index}.test.ts`), head + content);
  writeFileSync(join(folder, 'vitest.config.mjs'), 'export default {};\n');
  const args = [vitest, 'run', '--root', folder, `--reporter=${reporter}`, ...options];
  const { code, stdout } = await run(args, { cwd: folder });
  return { line: stdout.trimEnd().split('\n').at(-1) ?? '', code };
}

const pass = `test('fine', () => { expect(1).toBe(1); });\n`;

test.each([
  ['counts what passed', [pass + pass], '2 passed, 0 failed', 0],
  ['names skipped tests', [`${pass}test.skip('later', () => {});\n`], '1 passed, 0 failed, 1 skipped', 0],
  ['counts a failed test', [`${pass}test('no', () => { expect(1).toBe(2); });\n`], '1 passed, 1 failed', 1],
  ['counts a file that does not load', [pass, `import './absent.ts';\n`], '1 passed, 1 failed', 1],
  ['counts a file that throws', [pass, `throw new Error('no');\n`], '1 passed, 1 failed', 1],
  [
    'counts a failing hook of a suite',
    [`describe('s', () => { afterAll(() => { throw new Error('no'); }); ${pass} });\n`],
    '1 passed, 1 failed',
    1,
  ],
  ['counts an unhandled rejection', [`${pass}void Promise.reject(new Error('no'));\n`], '1 passed, 1 failed', 1],
  ['calls a run without tests failed', [], '0 passed, 1 failed', 1],
] as const)('ClosingLineReporter %s', { timeout: 60_000 }, async (_, files, line, code) => {
  expect(await closingLine(files)).toEqual({ line, code });
});
