import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadSys, sysUnavailable } from '../src/index.ts';
import { backends, HAS_NODE_FFI } from './backends.ts';
import { Sandbox, type StartOptions } from './sandbox.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

let sandbox: Sandbox;
beforeEach(() => {
  sandbox = new Sandbox();
});
afterEach(() => sandbox.end());

/** What another process finds. */
async function look(choice: string | undefined, options: StartOptions = {}, ...args: string[]): Promise<unknown> {
  const env: Record<string, string> = choice === undefined ? {} : { CIRQUE_FFI: choice };
  const { stdout, stderr } = await sandbox.run('what-is-there.ts', args, { ...options, env });
  expect(stderr).toBe('');
  return JSON.parse(stdout);
}

/** A copy of this package in a folder where no other package is. */
function lonely(): StartOptions {
  cpSync(`${root}src`, sandbox.path('src'), { recursive: true });
  cpSync(`${root}test/fixtures`, sandbox.path('test/fixtures'), { recursive: true });
  return { program: sandbox.path('test/fixtures/what-is-there.ts'), cwd: sandbox.folder };
}

test('loadSys looks once', () => {
  expect(loadSys()?.backend).toBe(backends[0]?.name);
  expect(loadSys()).toBe(loadSys());
  expect(sysUnavailable()).toBeUndefined();
});

describe.each(backends)('through $name', ({ name, choice }) => {
  test('CIRQUE_FFI chooses, and nothing is printed', async () => {
    expect(await look(choice)).toEqual({ backend: name });
  });
});

test('loadSys prefers what the runtime has', async () => {
  expect(await look(undefined)).toEqual({ backend: HAS_NODE_FFI ? 'node:ffi' : 'koffi' });
  expect(await look('')).toEqual({ backend: HAS_NODE_FFI ? 'node:ffi' : 'koffi' });
});

test('loadSys keeps back only its own warning', async () => {
  const { stderr } = await sandbox.run('what-is-there.ts', ['warn']);
  expect(stderr).toMatch(/^\(node:\d+\) ExperimentalWarning: mine\n/);
  expect(stderr).not.toContain('FFI');
});

test('CIRQUE_FFI=off switches native calls off', async () => {
  expect(await look('off')).toEqual({ unavailable: 'native calls are switched off by CIRQUE_FFI=off' });
});

test.each(['python', 'constructor'])('CIRQUE_FFI=%s is named as the reason', async (choice) => {
  const unavailable = `there are no native calls: CIRQUE_FFI is "${choice}", not node, koffi or off`;
  expect(await look(choice)).toEqual({ unavailable });
});

test('sysUnavailable says that koffi is not installed', async () => {
  expect(await look('koffi', lonely())).toEqual({ unavailable: 'there are no native calls: koffi is not installed' });
});

test.skipIf(HAS_NODE_FFI)('sysUnavailable says all that would help', async () => {
  expect(await look(undefined, lonely())).toEqual({
    unavailable: `there are no native calls: node:ffi is not in this Node.js (${process.versions.node}; 26.1 has it), and koffi is not installed`,
  });
});

test('loadSys finds koffi in the project where the process was started', async () => {
  expect(await look('koffi', { ...lonely(), cwd: root })).toEqual({ backend: 'koffi' });
});

test('loadSys finds koffi after the process has looked at a pipe', async () => {
  expect(await look('koffi', { wrapper: ['/bin/sh', '-c', '"$0" "$@" | cat'] }, 'stat')).toEqual({ backend: 'koffi' });
});

test('sysUnavailable says that koffi cannot be loaded', async () => {
  const options = lonely();
  mkdirSync(sandbox.path('node_modules/koffi'), { recursive: true });
  writeFileSync(sandbox.path('node_modules/koffi/index.js'), "throw new Error('for another system\\nlong story');");
  expect(await look('koffi', options)).toEqual({
    unavailable: 'there are no native calls: koffi cannot be loaded: for another system',
  });
});

test('loadSys refuses an old koffi', async () => {
  const options = lonely();
  mkdirSync(sandbox.path('node_modules/koffi'), { recursive: true });
  writeFileSync(sandbox.path('node_modules/koffi/index.js'), "module.exports = { version: '2.9.0' };");
  expect(await look('koffi', options)).toEqual({
    unavailable: 'there are no native calls: koffi is too old (2.9.0; 3.3.4 will do)',
  });
});

test.runIf(HAS_NODE_FFI)('sysUnavailable names the permission that is missing', async () => {
  const permission = { nodeArgs: ['--permission', '--allow-fs-read=*'] };
  const { unavailable } = (await look(undefined, permission)) as { unavailable: string };
  expect(unavailable).toMatch(
    /node:ffi is denied by the permission model \(--allow-ffi\), and koffi cannot be loaded: /,
  );
});
