/**
 * Runs a program to its end and answers what it printed, whatever its exit code.
 */
import { execFile } from 'node:child_process';

export interface ToolRun {
  /** Undefined when it was killed, because it took too long. */
  readonly code: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ToolOptions {
  /** What it reads; its standard input then ends. */
  readonly input?: string;
  /** Its standard input does not end. Default false. */
  readonly keepsInputOpen?: boolean;
  /** Then it is killed. Default 15,000. */
  readonly timeoutMs?: number;
}

export function runTool(path: string, args: readonly string[], options: ToolOptions = {}): Promise<ToolRun> {
  const { input = '', keepsInputOpen = false, timeoutMs: timeout = 15_000 } = options;
  return new Promise((resolve) => {
    const limits = { timeout, killSignal: 'SIGKILL', maxBuffer: 50_000_000 } as const;
    const child = execFile(path, args, limits, (error, stdout, stderr) => {
      const code = error === null ? 0 : error.code;
      resolve({ code: typeof code === 'number' ? code : undefined, stdout, stderr });
    });
    child.stdin?.on('error', () => undefined); // it may not read at all
    child.stdin?.write(input);
    if (!keepsInputOpen) child.stdin?.end();
  });
}
