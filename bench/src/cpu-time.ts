/**
 * Reads what a process tree has used: run time of all its threads, ticks in user and kernel, resident memory.
 *
 * The run time comes from the scheduler in nanoseconds; ticks only serve the user/kernel split.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { parseCoreBusyTicks, parseProcessStat, parseResidentBytes, parseRunTimeNs } from './proc-files.ts';

export interface TreeUsage {
  readonly runTimeNs: number;
  readonly userTicks: number;
  readonly systemTicks: number;
}

/** `pid` and all its descendants. Throws when `pid` itself is gone. */
export function processTree(pid: number): number[] {
  const parents = new Map<number, number>();
  for (const entry of readdirSync('/proc')) {
    const candidate = Number(entry);
    if (!Number.isInteger(candidate)) continue;
    const text = readIfPresent(`/proc/${entry}/stat`);
    const stat = text === undefined ? undefined : parseProcessStat(text);
    if (stat?.isZombie === false) parents.set(candidate, stat.parentPid);
  }
  if (!parents.has(pid)) throw new Error(`process ${pid} has ended`);
  const tree = [pid];
  // The list grows while it is walked: every process found is searched for children in turn.
  for (const parent of tree) {
    for (const [child, itsParent] of parents) if (itsParent === parent) tree.push(child);
  }
  return tree;
}

/** What the processes have used so far. Throws when one of them has ended. */
export function readUsage(pids: readonly number[]): TreeUsage {
  let runTimeNs = 0;
  let userTicks = 0;
  let systemTicks = 0;
  for (const pid of pids) {
    for (const tid of readdirSync(`/proc/${pid}/task`)) {
      const schedstat = readIfPresent(`/proc/${pid}/task/${tid}/schedstat`);
      if (schedstat !== undefined) runTimeNs += parseRunTimeNs(schedstat);
    }
    const stat = parseProcessStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));
    userTicks += stat.userTicks;
    systemTicks += stat.systemTicks;
  }
  return { runTimeNs, userTicks, systemTicks };
}

/** Resident memory of the processes together, in bytes. Pages that they share count for each. */
export function readResidentBytes(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + parseResidentBytes(readFileSync(`/proc/${pid}/status`, 'utf8')), 0);
}

/** Ticks that this core has been busy since the machine started. */
export function readCoreBusyTicks(core: number): number {
  return parseCoreBusyTicks(readFileSync('/proc/stat', 'utf8'), core);
}

/** A process or thread may end between being listed and being read; that is no error. */
function readIfPresent(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH'))
      return undefined;
    throw error;
  }
}
