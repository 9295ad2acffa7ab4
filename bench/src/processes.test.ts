import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { processTree, readResidentBytes, readUsage } from './cpu-time.ts';
import { requireCores } from './machine.ts';
import { isAlive, logTail, Processes, wrapCommand } from './processes.ts';

const tools = ['setpriv', 'prlimit', 'taskset'];

function reasonToSkip(): string | undefined {
  if (process.platform !== 'linux') return 'not Linux';
  try {
    for (const tool of tools) execFileSync(tool, ['--version'], { stdio: 'ignore' });
    requireCores();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const reason = reasonToSkip();
if (reason !== undefined) console.warn(`processes.test.ts: real processes are skipped: ${reason}`);

describe('wrapCommand', () => {
  it('pins, limits and ties the program to our life, without a shell', () => {
    const launch = { name: 'x', file: 'nginx', args: ['-c', 'a b.conf'], core: 1 };
    expect(wrapCommand(launch, 100).join('|')).toBe(
      'setpriv|--pdeathsig|TERM|prlimit|--nofile=100:100|taskset|-c|1|nginx|-c|a b.conf',
    );
  });
});

describe.skipIf(reason !== undefined)('Processes', () => {
  let directory: string;
  let processes: Processes;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'cirque-bench-test-'));
    processes = new Processes({ directory, maxDescriptors: 256, termGraceMs: 200 });
  });
  afterEach(async () => {
    await processes.stopAll();
    rmSync(directory, { recursive: true, force: true });
  });

  /** A program that prints once it is ready, on the first core we may use. */
  function startNode(script: string) {
    const core = requireCores().load;
    return processes.start({ name: 'child', file: process.execPath, args: ['-e', script], core, stdout: 'pipe' });
  }

  const hasEnded = (pid: number): boolean => {
    try {
      return processTree(pid).length === 0;
    } catch {
      return true;
    }
  };

  const firstOutput = (running: ReturnType<typeof startNode>): Promise<string> =>
    new Promise((resolve) => running.child.stdout?.once('data', (chunk: Buffer) => resolve(chunk.toString())));

  it('the pid is the program itself, whose CPU time and memory can be read', async () => {
    const running = startNode('for (let i = 0; i < 3e7; i++); console.log(process.pid); setInterval(() => {}, 1e6)');
    expect(Number(await firstOutput(running))).toBe(running.pid);
    const tree = processTree(running.pid);
    expect(tree).toEqual([running.pid]);
    expect(readUsage(tree).runTimeNs).toBeGreaterThan(1e6);
    expect(readResidentBytes(tree)).toBeGreaterThan(10e6);
  });

  it('stop ends a program by SIGTERM', async () => {
    const running = startNode('console.log("ready"); setInterval(() => {}, 1e6)');
    await firstOutput(running);
    await processes.stop(running);
    expect(isAlive(running)).toBe(false);
    expect(running.child.signalCode).toBe('SIGTERM');
  });

  it('stop kills a program that ignores SIGTERM, and its children', async () => {
    const running = startNode(`
      process.on('SIGTERM', () => {});
      const child = require('node:child_process').spawn('sleep', ['600']);
      console.log(child.pid); setInterval(() => {}, 1e6)`);
    const grandchild = Number(await firstOutput(running));
    expect(processTree(running.pid)).toEqual([running.pid, grandchild]);
    await processes.stop(running);
    expect(running.child.signalCode).toBe('SIGKILL');
    await expect.poll(() => hasEnded(grandchild)).toBe(true);
  });

  it('a program that fails leaves its last words', async () => {
    const running = startNode('console.error("no such luck"); process.exit(3)');
    await running.closed;
    expect(isAlive(running)).toBe(false);
    expect(logTail(running)).toContain('no such luck');
  });
});
