/**
 * Upgrades under load, as examples/graceful-upgrade plays them: daemons, clients of every kind, and not one that notices. The
 * long form is the example's own command; here each way of handing over is played with some thousand requests.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { loadSys } from '@cirque/sys';
import { afterEach, expect, test } from 'vitest';

const PROGRAM = fileURLToPath(new URL('../../examples/graceful-upgrade/src/upgrade-under-load.ts', import.meta.url));
/** The program ends by itself, and has deadlines of its own; this is for the day on which it does not. */
const LIMIT = { timeout: 180_000 };
const PATIENCE_MS = 150_000;
/** Both libraries pass descriptors in the same way (packages/core/test/upgrade.test.ts): the one of this runtime is enough here. */
const LIBRARY = loadSys()?.backend === 'node:ffi' ? 'node' : 'koffi';

let program: ChildProcess | undefined;

afterEach(async () => {
  if (program === undefined || program.exitCode !== null || program.signalCode !== null) return;
  program.kill('SIGTERM'); // it stops what it has started
  await once(program, 'close');
});

async function play(native: string, ...options: readonly string[]): Promise<{ code: number | null; output: string }> {
  const words = ['--conditions=@cirque/source', PROGRAM, '--requests', '1500', '--rate', '400', ...options];
  const child = spawn(process.execPath, words, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, CIRQUE_FFI: native },
  });
  program = child;
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (part: string) => {
      output += part;
    });
  }
  const [code] = (await once(child, 'close', { signal: AbortSignal.timeout(PATIENCE_MS) })) as [number | null];
  return { code, output };
}

test.each([
  ['native calls', LIBRARY],
  ['inherited descriptors', 'off'],
])('with %s nobody notices two upgrades in a row', LIMIT, async (_, native) => {
  const { code, output } = await play(native, '--upgrades', '2', '--threads', '1,2', '--fail-first');
  expect(output).toMatch(/^an upgrade whose new process was killed: process \d+ goes on$/m);
  expect(output).toMatch(/^upgrade 1: process \d+ -> \d+, threads 1 -> 2, -u first, /m);
  expect(output).toMatch(/^upgrade 2: process \d+ -> \d+, threads 2 -> 1, SIGQUIT first, /m);
  expect(output).toMatch(/^\d{4,} requests, 0 failures of any kind$/m);
  expect({ code, output }).toMatchObject({ code: 0 });
});
