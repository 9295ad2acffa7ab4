/**
 * Runs a program to its end for the packaging tests and returns all it printed.
 * The environment is that of a user: nothing of pnpm, npm, vitest or this workspace's conditions leaks in.
 */
import { spawn } from 'node:child_process';

export interface ProgramResult {
  readonly code: number | null;
  readonly output: string;
}

export interface ProgramOptions {
  readonly cwd: string;
  /** The program is killed when it takes longer, 120 s by default. */
  readonly timeoutMs?: number;
}

function userEnvironment(): NodeJS.ProcessEnv {
  const reachRegistry = /^(npm_config_(registry|cafile|https?_proxy|proxy|noproxy)|NODE_EXTRA_CA_CERTS)$/i;
  const env: NodeJS.ProcessEnv = {};
  for (const [key, value] of Object.entries(process.env)) {
    if (reachRegistry.test(key) || !/^(npm_|pnpm_|VITEST|NODE_|TURBO_)/i.test(key)) env[key] = value;
  }
  return { ...env, NO_COLOR: '1' };
}

/** Resolves with the exit code and standard output followed by standard error; rejects when it cannot be started. */
export function runProgram(command: string, args: readonly string[], options: ProgramOptions): Promise<ProgramResult> {
  const { cwd, timeoutMs = 120_000 } = options;
  return new Promise((resolve, reject) => {
    const shell = process.platform === 'win32' && !command.endsWith('.exe');
    const child = spawn(command, args, {
      cwd,
      env: userEnvironment(),
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
      shell,
    });
    let output = '';
    let errors = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      errors += chunk;
    });
    child.once('error', reject);
    child.once('close', (code, signal) => {
      const ended = signal === null ? '' : `\nended by ${signal} (limit ${timeoutMs} ms)`;
      resolve({ code, output: output + errors + ended });
    });
  });
}
