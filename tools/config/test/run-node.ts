/**
 * Starts the scripts of tools/ as a contributor does, as child processes, and collects what they print.
 * Only for the tests of this folder.
 */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

/** The root of the workspace. */
export const root: string = fileURLToPath(new URL('../../..', import.meta.url));

export interface Outcome {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A folder that is removed when the test ends. */
export function scratchFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'cirque-')));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The environment of this process without what a test runner or a package manager put into it. */
export function plainEnvironment(extra: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = {};
  for (const [key, value] of Object.entries(process.env)) if (!/^(npm_|VITEST|NODE_)/i.test(key)) env[key] = value;
  return { ...env, NO_COLOR: '1', ...extra };
}

export function start(args: readonly string[], options: SpawnOptions = {}): [ChildProcess, Promise<Outcome>] {
  const child = spawn(process.execPath, args, { env: plainEnvironment(), stdio: 'pipe', ...options });
  onTestFinished(() => void child.kill('SIGKILL'));
  const outcome = new Promise<Outcome>((resolve, reject) => {
    let stdout = '';
    let stderr = '';
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk));
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  return [child, outcome];
}

export function run(args: readonly string[], options: SpawnOptions = {}): Promise<Outcome> {
  return start(args, options)[1];
}
