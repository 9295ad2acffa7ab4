import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { plainEnvironment, root, run, scratchFolder } from './run-node.ts';

const module = join(root, 'tools/config/system-tools.ts');

async function ask(tool: string, env: NodeJS.ProcessEnv): Promise<{ answer: unknown; stderr: string }> {
  const code = `const { requireTool } = await import(${JSON.stringify(module)});
    requireTool(${JSON.stringify(tool)}); console.log(JSON.stringify(requireTool(${JSON.stringify(tool)})));`;
  const { stdout, stderr } = await run(['--input-type=module', '-e', code], { env });
  return { answer: JSON.parse(stdout), stderr };
}

test.runIf(process.platform !== 'win32')('requireTool finds a program on PATH and prints nothing', async () => {
  const { answer, stderr } = await ask('sh', plainEnvironment());
  expect(answer).toEqual({ path: expect.stringMatching(/\/sh$/) });
  expect(stderr).toBe('');
});

test('requireTool gives and prints the reason once when it must not install', async () => {
  const { answer, stderr } = await ask('no-such-program', plainEnvironment({ CI: '1' }));
  expect(answer).toEqual({ reason: expect.stringMatching(/^no-such-program is not installed: /) });
  expect(stderr.match(/SKIPPED: no-such-program is not installed/g)).toHaveLength(1);
});

test.runIf(process.platform === 'linux')('requireTool never calls apt-get without CI', async () => {
  const folder = scratchFolder();
  const marker = join(folder, 'called');
  writeFileSync(join(folder, 'apt-get'), `#!/bin/sh\n: > ${marker}\n`, { mode: 0o755 });
  const { answer } = await ask('wrk', plainEnvironment({ CI: '', PATH: folder }));
  expect(answer).toEqual({ reason: 'wrk is not installed: it is installed only where CI is set' });
  expect(existsSync(marker)).toBe(false);
});
