/**
 * One timed slice: load, and what proxy, origin and load generator have used meanwhile, on cores that they share.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { processTree, readCoreBusyTicks, readUsage } from '../cpu-time.ts';
import { parseRunTimeNs, TICK_MS } from '../proc-files.ts';
import { isAlive, logTail, type Running } from '../processes.ts';
import { WRK } from '../wrk.ts';
import type { ThreadStage, ThreadTarget } from './thread-stage.ts';

/** What one slice has shown. */
export interface ThreadSlice {
  readonly requests: number;
  readonly durationUs: number;
  /** Run time of all threads of the proxy, and of the one that ran most. */
  readonly proxyNs: number;
  readonly busiestNs: number;
  /** Run time of origin and load generator. */
  readonly loadNs: number;
  /** Share of the cores that something else has used. */
  readonly foreignShare: number;
}

/** The load generator is looked at so often, in milliseconds: what it uses after the last look is not seen. */
const LOOK_EVERY_MS = 20;
const OVERTIME_MS = 20_000;

/** Loads the target for `durationMs` and answers what was used. Throws on any failed answer. */
export async function takeThreadSlice(
  stage: ThreadStage,
  target: ThreadTarget,
  durationMs: number,
): Promise<ThreadSlice> {
  const before = snapshot(stage, target);
  const { args, env } = WRK.command(stage.shape, { port: target.port, durationMs, bodyFile: '' });
  const wrk = stage.processes.start({ name: 'wrk', file: 'wrk', args, env, core: stage.cores, stdout: 'pipe' });
  let output = '';
  wrk.child.stdout?.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  const wrkNs = await watch(stage, wrk, durationMs);
  const after = snapshot(stage, target);
  if (wrk.child.exitCode !== 0) throw new Error(`wrk failed or hung; ${logTail(wrk)}`);
  const { requests, durationUs, errors } = WRK.parse(output);
  if (errors > 0 || requests === 0) throw new Error(`${errors} of ${requests} answers failed`);
  const perThread = [...after.threads].map(([thread, ns]) => ns - (before.threads.get(thread) ?? 0));
  const proxyNs = perThread.reduce((sum, ns) => sum + ns, 0);
  const loadNs = wrkNs + after.originNs - before.originNs;
  const busyMs = (after.busyTicks - before.busyTicks) * TICK_MS;
  const foreignMs = Math.max(0, busyMs - (proxyNs + loadNs + after.ownNs - before.ownNs) / 1e6);
  const foreignShare = foreignMs / ((after.at - before.at) * stage.cores.length);
  return { requests, durationUs, proxyNs, busiestNs: Math.max(...perThread), loadNs, foreignShare };
}

/** Waits for the end of the load generator; answers what it has used, as far as that was seen. */
async function watch(stage: ThreadStage, wrk: Running, durationMs: number): Promise<number> {
  const end = performance.now() + durationMs + OVERTIME_MS;
  let usedNs = 0;
  while (isAlive(wrk) && performance.now() < end) {
    stage.signal.throwIfAborted();
    usedNs = Math.max(usedNs, usageIfPresent(wrk.pid));
    await delay(LOOK_EVERY_MS);
  }
  await stage.processes.stop(wrk);
  await wrk.closed;
  return usedNs;
}

function usageIfPresent(pid: number): number {
  try {
    return readUsage([pid]).runTimeNs;
  } catch {
    return 0; // it has ended meanwhile
  }
}

interface Snapshot {
  readonly at: number;
  /** Run time of each thread of the proxy, by number. */
  readonly threads: ReadonlyMap<number, number>;
  readonly originNs: number;
  readonly ownNs: number;
  readonly busyTicks: number;
}

function snapshot(stage: ThreadStage, target: ThreadTarget): Snapshot {
  return {
    at: performance.now(),
    threads: new Map(processTree(target.running.pid).flatMap(threadTimes)),
    originNs: readUsage(processTree(stage.origin.pid)).runTimeNs,
    ownNs: readUsage([process.pid]).runTimeNs,
    busyTicks: stage.cores.reduce((sum, core) => sum + readCoreBusyTicks(core), 0),
  };
}

function threadTimes(pid: number): [number, number][] {
  return readdirSync(`/proc/${pid}/task`).map((tid) => [
    Number(tid),
    parseRunTimeNs(readFileSync(`/proc/${pid}/task/${tid}/schedstat`, 'utf8')),
  ]);
}
